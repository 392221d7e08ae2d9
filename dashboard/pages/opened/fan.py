"""The fan on the price path of an opened row: where its reference will lie at closure."""

from __future__ import annotations

from datetime import datetime

from dashboard.figures.firmness.outlook import load_outlook
from dashboard.figures.period import ChartData
from dashboard.pages.requests import AskedPeriod
from dashboard.render.formatting import plain


def fan_json(asked: AskedPeriod, data: ChartData, now: datetime) -> dict[str, list[str | None]] | None:
    """From and to in EUR/MWh, by how many like cases; None without a price, and for a final one."""
    period, market = asked.parsed.period, asked.market
    gate = market.gate_closure(asked.day, period)
    if not data.path or data.path[-1].last_update >= gate:
        return None
    source = market.reference_source(asked.day, period)
    bands = load_outlook(market, now).reference_bands(period, gate, source, data.path[-1].value)
    if bands is None:
        return None
    return {name: [plain(band.low), plain(band.high)] for name, band in zip(("wide", "narrow"), bands, strict=True)}
