"""Exact values and no words: performance, boards, the desk, history, the state of the feeds."""
