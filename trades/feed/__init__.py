"""Whether the line to the exchange is alive, and when it was not."""
