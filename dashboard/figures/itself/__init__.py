"""Where the desk traded against itself."""
