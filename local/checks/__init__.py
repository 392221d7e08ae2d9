"""What `make test` runs besides the tests, and the servers that these run on."""
