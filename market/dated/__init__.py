"""What is dated about a market: rows of rules, and how they are read."""
