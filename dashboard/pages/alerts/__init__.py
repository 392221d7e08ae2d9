"""Alerts: the page, the line on every page, the API."""
