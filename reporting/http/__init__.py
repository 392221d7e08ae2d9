"""What every request and answer passes: ids, headers, what is said while the database is away."""
