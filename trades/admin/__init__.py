"""The admin's pages of trades: facts can be read there, never changed; decisions are forms beside them."""

from trades.admin import feed, frames, trades

__all__ = ["feed", "frames", "trades"]
