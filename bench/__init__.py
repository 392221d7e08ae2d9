"""Benchmarks: each beside a floor measured in the same run, alternating. `make bench`, or BENCH=name for one."""
