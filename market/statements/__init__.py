"""How statements are handed to PostgreSQL."""
