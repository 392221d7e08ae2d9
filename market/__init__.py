"""Markets and their delivery periods: calendar and clock-change rules. Imports nothing else of ours."""
