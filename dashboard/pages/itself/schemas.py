"""What the API answers of the desk against itself, as types. Prices per MWh, results in the market's currency."""

from __future__ import annotations

from ninja import Field, Schema

from dashboard.pages.programs.schemas import Day, Exact, Label, Moment


class PairSum(Schema):
    """What some pairs add up to; undefined without energy."""

    pair_count: int
    energy_mwh: Exact
    result: Exact
    result_per_mwh: Exact | None


class PeriodSum(PairSum):
    delivery_hour: Label
    delivery_start: Moment
    delivery_end: Moment


class PairedTrade(Schema):
    """One side of a pair, as it counts now."""

    exchange_id: str
    trader_id: str
    price: Exact
    execution_time: Moment


class Pair(Schema):
    """A sale and a purchase that met; above zero the desk gained."""

    delivery_hour: Label
    sold: PairedTrade
    bought: PairedTrade
    quantity: Exact = Field(description="MW of both that met")
    energy_mwh: Exact
    apart_ms: int
    result: Exact


class Against(Schema):
    """Trades that met others of the desk within 30 minutes; own round trips apart; pairs alike within a second."""

    market: str
    delivery_day: Day
    as_of: Moment
    currency: str
    trade_count: int
    total: PairSum
    periods: list[PeriodSum]
    matches: list[Pair]
    round_trips: list[Pair]
    alike: list[Pair]
