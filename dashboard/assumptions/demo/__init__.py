"""Thirty past days of a made-up desk: references, what five traders assumed of them, and what they traded."""
