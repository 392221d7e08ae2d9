"""Alerts for pages and programs."""
