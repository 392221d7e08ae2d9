"""Parts of an opened row's panel."""
