"""What the API answers, as types: OpenAPI and the check of every new answer come from them.

Decimals are exact, as text; undefined is null; moments are UTC with a Z.
"""

from __future__ import annotations

from typing import Annotated, Literal

from ninja import Field, Schema

Exact = Annotated[str, Field(pattern=r"^-?\d+(\.\d+)?$", examples=["20.5"])]
Moment = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$", examples=["2026-11-23T11:00:00Z"])]
Day = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d$", examples=["2026-11-23"])]
Label = Annotated[str, Field(description="12-13, 12:15-12:30, 02-03A", examples=["12-13"])]
Fraction = Annotated[str, Field(pattern=r"^-?\d+\.\d+$", description="A fraction of 1")]
By = Literal["product", "hour", "quarter"]
Cursor = Annotated[str | None, Field(description="Send it as `cursor` for the next page; null: there is none")]


class Refusal(Schema):
    """Why not: one sentence, and the field that it is about."""

    error: str
    field: str | None = None
    oldest: int | None = None
    newest: int | None = None


# --- boards -----------------------------------------------------------------------------------------------------------
class Figures(Schema):
    """What was traded, against the reference. Prices and `performance` EUR/MWh, `performance_eur` EUR."""

    trade_count: int
    average_price: Exact | None
    sold_mwh: Exact
    bought_mwh: Exact
    average_sell_price: Exact | None
    average_buy_price: Exact | None
    net_mwh: Exact
    reference_price: Exact | None
    performance: Exact | None
    performance_eur: Exact | None


class GateClosure(Schema):
    """Until when trading goes on in a phase."""

    phase: Literal["borders", "areas", "area"]
    closes_at: Moment


class Restatement(Schema):
    """A final price that was another one before."""

    from_: Exact = Field(alias="from")
    at: Moment


class Band(Schema):
    """From where to where."""

    low: Exact
    high: Exact


class Firmness(Schema):
    """How firm a result is (docs/firmness.md): what became of like cases of the last 60 days, and where the result and
    the reference would be at closure in 8 and in 5 of 10 of them. Null: nothing is said."""

    word: Literal["open", "leaning", "firm", "locked", "final", "too few"]
    cases: int
    turned: Fraction | None
    """The share of them in which the result's sign turned."""
    performance_eur_80: Band | None
    performance_eur_50: Band | None
    reference_price_80: Band | None
    reference_price_50: Band | None


class Period(Figures):
    """A row of a board."""

    delivery_hour: Label
    delivery_start: Moment
    delivery_end: Moment
    minutes: int
    break_even: Exact | None
    """At which reference the row's result turns; none without a net."""
    reference_updated_at: Moment | None
    reference_restated: Restatement | None
    reference_source: Literal["own", "hour"] | None
    state: Literal["open", "closed", "final"]
    gate_closures: list[GateClosure]
    firmness: Firmness | None
    """None for a row without a result."""


class Board(Schema):
    """One trader's delivery day; the total is the exact sum of the rows that have a result."""

    trader_id: str
    delivery_day: Day
    as_of: Moment
    by: By
    periods: list[Period]
    total: Figures


class Desk(Schema):
    """All traders, and the desk as if it were one."""

    market: str
    delivery_day: Day
    as_of: Moment
    by: By
    traders: list[Board]
    periods: list[Period]
    total: Figures


class Point(Schema):
    """One accepted value of a reference."""

    value: Exact
    published_at: Moment
    arrived_at: Moment


class PricePath(Schema):
    """Every accepted value of a period, oldest first."""

    market: str
    delivery_day: Day
    delivery_hour: Label
    delivery_start: Moment
    delivery_end: Moment
    unit: str
    path: list[Point]


class Trade(Schema):
    """One trade in a row; `energy_mwh` is the row's share. Above zero a difference is good."""

    exchange_id: str
    direction: Literal["buy", "sell"]
    price: Exact
    quantity: Exact
    energy_mwh: Exact
    delivery_start: Moment
    delivery_end: Moment
    execution_time: Moment
    received_at: Moment
    flags: list[str]
    change: str
    reason: str
    against_reference: Exact | None
    against_reference_then: Exact | None


class OpenedPeriod(Schema):
    """A row opened: its figures, a page of its trades (newest first), the path of its reference."""

    trader_id: str
    market: str
    delivery_day: Day
    as_of: Moment
    by: By
    period: Period
    trades: list[Trade]
    path: list[Point]
    cursor: Cursor


class Chart(Schema):
    """What the page's chart draws, in columns: times in milliseconds of 1970, oldest first."""

    state: str
    after: int
    now: int
    time: list[int]
    side: list[str]
    mw: list[Exact]
    mwh: list[Exact]
    price: list[Exact]
    path: list[list[int | str]]
    flags: list[list[int | str | None]]


# --- history ----------------------------------------------------------------------------------------------------------
class Part(Figures):
    """A part of a range; MWh without a reference are in no result."""

    unpriced_mwh: Exact
    stand_in_mwh: Exact


class DayPart(Part):
    delivery_day: Day


class HourPart(Part):
    hour: int = Field(ge=0, le=23, description="By the market's clock at delivery start")


class TraderPart(Part):
    trader_id: str


class History(Schema):
    """What a trader, or the desk (null), made of a range of days; only what was traded is listed."""

    market: str
    trader_id: str | None
    first: Day = Field(alias="from")
    last: Day = Field(alias="to")
    by: By
    days: list[DayPart]
    hours: list[HourPart]
    traders: list[TraderPart]
    total: Part


# --- feeds ------------------------------------------------------------------------------------------------------------
class Gap(Schema):
    """A time in which no listener was connected: trades of it can be missing."""

    id: int
    market: str
    started_at: Moment
    ended_at: Moment
    closed_at: Moment | None
    note: str


class Gaps(Schema):
    """The newest first."""

    gaps: list[Gap]
    cursor: Cursor


class Status(Schema):
    """How the desk's feeds are doing; the shape grows with what there is to say."""

    as_of: Moment
    version: str
    incidents: list[dict[str, object]]
    budget: dict[str, object]
    standby: dict[str, object] | None
    markets: list[dict[str, object]]


# --- alerts -----------------------------------------------------------------------------------------------------------
class Alert(Schema):
    """One episode: what a rule found, for as long as it is the case; `count`: how often it came again."""

    id: int
    rule: int | None
    kind: str
    level: Literal["warning", "alert"]
    sentence: str
    facts: dict[str, str]
    started_at: Moment
    last_at: Moment
    ended_at: Moment | None
    acknowledged_at: Moment | None
    count: int


class Rule(Schema):
    """What a user wants to be told; `threshold` in MWh or the market's currency."""

    id: int
    kind: str
    threshold: Exact | None
    minutes: int | None
    trader_id: str | None
    market: str | None
    desk_wide: bool
    snoozed_until: Moment | None


class Alerts(Schema):
    alerts: list[Alert]
    rules: list[Rule]
    cursor: Cursor


# --- assumptions ------------------------------------------------------------------------------------------------------
class AssumedPeriod(Schema):
    delivery_hour: Label
    frozen_price: Exact | None
    frozen_updated_at: Moment | None
    last_change: Exact | None
    final_price: Exact | None
    move: Exact | None
    verdict: Literal["waiting", "open", "right", "wrong", "flat", "void"]


class Assumption(Schema):
    """What a trader expects of a reference, and how each period stands."""

    id: int
    trader_id: str
    created_at: Moment
    market: str
    delivery_day: Day
    claim: Literal["up", "down", "within", "above", "below"]
    threshold: Exact | None
    broken_at: Exact
    confidence: int | None
    quantity: Exact | None
    tags: list[str]
    reason: str
    late: bool
    withdrawn_at: Moment | None
    periods: list[AssumedPeriod]


class Rates(Schema):
    """Right / (right + wrong), beside the rate of “it goes on as it last moved” on the same moments."""

    judged: int
    right: int
    rate: Fraction | None
    low: Fraction | None
    high: Fraction | None
    baseline_rate: Fraction | None
    excess: Fraction | None


class Assumptions(Schema):
    assumptions: list[Assumption]
    rates: Rates
    cursor: Cursor


class NewAssumption(Schema):
    """What to write down; numbers may be texts."""

    delivery_day: Day
    delivery_hours: list[str]
    claim: Literal["up", "down", "within", "above", "below"]
    market: str | None = None
    threshold: float | str | None = None
    broken_at: float | str | None = None
    confidence: int | str | None = None
    quantity: float | str | None = None
    tags: list[str] | None = None
    reason: str | None = None
    by: By | None = None
