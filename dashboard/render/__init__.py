"""Words and HTML made from figures: pages, pushes and files are made of the same parts."""
