"""Libraries that the desk has do otherwise than they come."""
