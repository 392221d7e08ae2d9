"""What stands in for the outside on a laptop and in tests: servers, exchange, provider, the runner. Imports no app."""
