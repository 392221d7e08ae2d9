"""The benchmarks: one module each, with `run(folder)` that gives rows of the table."""
