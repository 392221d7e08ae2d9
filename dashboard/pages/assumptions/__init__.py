"""The addresses of assumptions: page, API, files, marks for boards."""
