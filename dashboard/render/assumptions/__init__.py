"""Assumptions in words, figures and files."""
