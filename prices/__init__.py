"""Reference prices: fetched from the market data provider within its limits. Knows markets, not trades or pages."""
