"""Who did what: an append-only log in a hash chain, and what the database's roles may do to records."""
