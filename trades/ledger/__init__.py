"""What is booked: confirmations, trades, positions, and decisions about them."""
