"""What was traded as it stood at a past moment: as it was known then, or as it had happened by then. Reads only.

Known: trades received and decisions made up to the moment. Happened: trades executed up to it, with all that has been
decided of them since. Units: MW, MWh, the market's currency; moments are aware UTC datetimes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from itertools import groupby
from typing import Any

from django.db import connection

from market.periods import period_at
from market.totals import Total, total_of
from trades.effective_trades import KNOWN_SINCE, effective_trades
from trades.queries import (
    EVER_OF_DAY,
    SLOT_SECONDS,
    DayTrade,
    PeriodKey,
    PeriodTrade,
    PositionRow,
    SlotSums,
    TradeState,
    of_period,
    read_day,
    read_state,
    read_trades,
)

_FIRST_STORED = 1000
"""Among so many trades the first one received is looked for: they are stored in about the order in which they come.

As a range of (market, id): of a market that began late, PostgreSQL would go by the primary key through all before it.
"""


def _then(ids: str, *, happened: bool, cancelled_too: bool = False) -> str:
    """The SELECT of trades as they stood at the parameter `moment`, of those whose ids are selected so."""
    if happened:
        trades = effective_trades(ids, cancelled_too=cancelled_too)
        return f"SELECT * FROM ({trades}) AS h WHERE execution_time <= %(moment)s"  # noqa: S608 - our own text
    return effective_trades(ids, moment="%(moment)s", cancelled_too=cancelled_too)


def _ids(mine: str) -> str:
    """The ids of all trades that are or ever were of these boards."""
    return f"""SELECT id FROM trades_trade WHERE market_id = %(market)s AND {mine}
        UNION SELECT trade_id FROM trades_tradechange WHERE {mine}"""  # noqa: S608 - our own text


_WHOSE = {
    True: "delivery_day = %(day)s AND trader_id = %(trader)s",
    False: "delivery_day = %(day)s",
}
"""By whether it is one trader's board."""


def _of_day(mine: str, *, happened: bool) -> str:
    """What a day's trades add up to by trader, period, direction and ten minutes of execution."""
    return f"""SELECT trader_id, extract(epoch FROM delivery_start)::bigint, extract(epoch FROM delivery_end)::bigint,
            direction,
            floor(extract(epoch FROM execution_time) / {SLOT_SECONDS})::bigint AS slot, count(*)::integer,
            sum(mwh)::numeric(20, 6), sum(price * mwh)::numeric(28, 10), sum(quantity)::numeric(18, 4),
            coalesce(sum(change), 0)::bigint
        FROM (SELECT *, quantity * extract(epoch FROM delivery_end - delivery_start) / 3600 AS mwh
            FROM ({_then(_ids(mine), happened=happened)}) AS t) AS e
        WHERE market_id = %(market)s AND {mine} GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5"""  # noqa: S608


_OF_DAY = {(one, past): _of_day(_WHOSE[one], happened=past) for one in (False, True) for past in (False, True)}
_OF_PERIOD = {past: of_period(partial(_then, happened=past, cancelled_too=True)) for past in (False, True)}
_MOMENTS = {
    one: f"""SELECT array_agg((extract(epoch FROM moment) * 1000000)::bigint ORDER BY moment) FROM (
            SELECT {KNOWN_SINCE} AS moment FROM trades_trade AS t WHERE id IN ({_ids(mine)})
            UNION SELECT made_at FROM trades_tradechange WHERE trade_id IN ({_ids(mine)})) AS all_of_them
        WHERE moment <= %(until)s"""  # noqa: S608 - our own text
    for one, mine in _WHOSE.items()
}


@dataclass(frozen=True, slots=True)
class Traded:
    """A trader's positions of a day as they stood, and the ten minutes that they are made of.

    A position's `revision` is the same only for the same trades and decisions; in which order they came it doesn't say.
    """

    positions: list[PositionRow] = field(default_factory=list)
    slots: list[SlotSums] = field(default_factory=list)


def traded_then(
    *, market_id: int, day: date, moment: datetime, happened: bool = False, trader_pk: int | None = None
) -> dict[int, Traded]:
    """By trader (primary key) what was traded of the day at `moment`: one trader's, or everybody's. One query."""
    asked: dict[str, Any] = {"market": market_id, "day": day, "moment": moment, "trader": trader_pk}
    with connection.cursor() as cursor:
        cursor.execute(_OF_DAY[trader_pk is not None, happened], asked)
        rows = cursor.fetchall()
    found: dict[int, Traded] = {}
    for (trader, *identity), group in groupby(rows, key=lambda row: row[:4]):
        position, slots = _position(identity, list(group))
        of_trader = found.setdefault(trader, Traded())
        of_trader.positions.append(position)
        of_trader.slots.append(slots)
    return found


def _position(identity: list[Any], rows: list[tuple[Any, ...]]) -> tuple[PositionRow, SlotSums]:
    start, end, direction = identity
    period = period_at(start, end)
    totals = [Total(*row[5:9]) for row in rows]
    whole = total_of(totals)
    revision = whole.trade_count + sum(row[9] for row in rows)
    slots = SlotSums(
        period,
        direction,
        tuple(row[4] for row in rows),
        tuple(total.energy for total in totals),
        tuple(total.turnover for total in totals),
    )
    return PositionRow(period, direction, whole, revision), slots


def state_then(*, key: PeriodKey, moment: datetime, happened: bool = False) -> TradeState:
    """What `trades.queries.trade_state` said at `moment`. One query."""
    return read_state(_OF_PERIOD[happened], key, moment=moment)


def trades_then(
    *, key: PeriodKey, moment: datetime, happened: bool = False, skip: int = 0, most: int | None = None
) -> list[PeriodTrade]:
    """What `trades.queries.trades_of_period` gave at `moment`. One query."""
    return read_trades(_OF_PERIOD[happened], key, moment=moment, after=0, skip=skip, most=most)


def trades_of_day_then(*, market_id: int, day: date, moment: datetime, happened: bool = False) -> list[DayTrade]:
    """What `trades.queries.trades_of_day` gave at `moment`. One query."""
    return read_day(_then(EVER_OF_DAY, happened=happened), market_id=market_id, day=day, moment=moment)


def moments_of_day(*, market_id: int, day: date, until: datetime, trader_pk: int | None = None) -> list[int]:
    """When something became known of what was traded of a day, oldest first: trades and decisions. One query.

    In microseconds since 1970: of 10,000 moments, to be read as such takes most of the time of a page.
    """
    with connection.cursor() as cursor:
        asked: dict[str, Any] = {"market": market_id, "day": day, "until": until, "trader": trader_pk}
        cursor.execute(_MOMENTS[trader_pk is not None], asked)
        return cursor.fetchone()[0] or []


def first_received(*, market_id: int) -> datetime | None:
    """When the first trade of a market came; None before it. One query, by index."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT min(received_at) FROM (SELECT received_at FROM trades_trade
                WHERE (market_id, id) >= (%(market)s, 0) AND (market_id, id) < (%(market)s + 1, 0)
                ORDER BY market_id, id LIMIT %(first)s) AS oldest""",
            {"market": market_id, "first": _FIRST_STORED},
        )
        moment: datetime | None = cursor.fetchone()[0]
        return moment
