"""Past days of a made-up desk: what five traders assumed of its references, and what they traded on it."""
