"""What drills work with: servers to be killed, listeners, an exchange, results."""
