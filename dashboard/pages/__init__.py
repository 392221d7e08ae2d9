"""Addresses and views: requests in, pages, exports and API answers out."""
