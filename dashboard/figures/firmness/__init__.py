"""How firm a figure is: what like cases of the last sixty days say of where a result will lie at closure."""
