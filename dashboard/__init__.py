"""Boards, pages, live push, JSON API and who may see what. Knows trades and prices by queries and signals."""
