"""What the benchmarks compare with: the least that any product could do."""
