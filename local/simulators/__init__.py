"""Stand-ins for the exchange and the provider, and a way between two parts that can be disturbed."""
