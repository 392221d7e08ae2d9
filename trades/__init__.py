"""Trades: capture from the exchange's websocket, storage, positions. Knows markets, not prices or pages."""
