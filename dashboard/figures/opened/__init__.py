"""What an opened row says beyond its figures: what an hour holds, and what closing would make of it."""
