"""The desk speaks up: rules, what fired, and how people hear of it."""
