"""The pages of a range's earnings."""
