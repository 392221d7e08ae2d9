"""One small app for each alternative, written as its documentation recommends for a live table.

They run in the alternatives' own environment (environment.py), so nothing here imports the product.
"""
