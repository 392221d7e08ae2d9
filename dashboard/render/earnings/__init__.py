"""A range's earnings in words, tables and charts."""
