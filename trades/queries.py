"""Every read of trades, positions, quarantined frames and the feed's state. Keyword-only arguments, no writes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from typing import Any

from django.db import connection
from django.db.models import Sum

from market.periods import DeliveryPeriod, period_at
from market.totals import Total
from trades.effective_trades import effective_trades
from trades.models import JournalProgress, Position, Trade, Trader

SLOT_SECONDS = 600
DECIDED_TRADES = effective_trades(ids="SELECT DISTINCT trade_id AS id FROM trades_tradechange")
"""The trades that somebody has decided about, as they count now, few beside all others: their own rows count as they
are."""


def of_period(trades: Callable[[str], str]) -> dict[bool, str]:
    """The trades of a trader's period, by `PeriodKey.touching`. `trades` makes of a SELECT of ids one of trades."""
    return {
        False: _lying("delivery_start = %(start)s AND delivery_end = %(end)s", trades),
        True: _lying("delivery_start < %(end)s AND delivery_end > %(start)s", trades),
    }


def _lying(lies: str, trades: Callable[[str], str]) -> str:
    """The trades of a trader's day whose delivery lies so."""
    mine = f"trader_id = %(trader)s AND delivery_day = %(day)s AND {lies}"
    candidates = f"""SELECT id FROM trades_trade WHERE market_id = %(market)s AND {mine}
        UNION SELECT trade_id FROM trades_tradechange WHERE {mine}"""  # noqa: S608 - our own text, no input
    return f"FROM ({trades(candidates)}) AS e WHERE market_id = %(market)s AND {mine}"


_IN_WINDOWS = """WITH windows AS MATERIALIZED (WINDOWS)
    SELECT t.id, w.* FROM windows AS w JOIN LATERAL (SELECT id FROM trades_trade
        WHERE (trader_id, delivery_day, delivery_start) = (w.trader_id, w.delivery_day, w.delivery_start)
            AND (market_id, delivery_end) = (w.market_id, w.delivery_end)
            AND execution_time >= w.begins AND execution_time < w.ends OFFSET 0) AS t ON true
    UNION SELECT c.trade_id, w.* FROM windows AS w JOIN trades_tradechange AS c
        USING (trader_id, delivery_day, delivery_start, delivery_end)"""
"""By index, a look a window: years of trades stand beside the few minutes of each."""
_KEYED = f"""SELECT id, trader_id, market_id, delivery_day, delivery_start, delivery_end, direction, price, quantity,
    execution_time FROM ({effective_trades(ids="SELECT unnest(%s::bigint[]) AS id")}) AS e ORDER BY id"""  # noqa: S608

_OF_PERIOD = of_period(partial(effective_trades, cancelled_too=True))

_STATE = """SELECT count(*), count(*) FILTER (WHERE kind = 'cancelled'),
    coalesce(max(id), 0), coalesce(max(change), 0) """
_LIST = """SELECT id, exchange_id, direction, price, quantity, execution_time, received_at, delivery_start,
    delivery_end, flags, kind, reason """
_PAGE = " AND id > %(after)s ORDER BY execution_time DESC, id DESC OFFSET %(skip)s LIMIT %(most)s"


@dataclass(frozen=True, slots=True)
class PositionRow:
    """What one trader sold or bought in one period; `revision` grows with every change of it."""

    period: DeliveryPeriod
    direction: str
    total: Total
    revision: int


def positions_of_day(*, trader_pk: int, market_id: int, day: date) -> list[PositionRow]:
    """At most one row per period and direction, by delivery start. One query."""
    with connection.cursor() as cursor:  # written out: building it anew for every changed board takes longer than it
        cursor.execute(  # seconds of 1970, because of 240 moments to be read as such most are known
            """SELECT extract(epoch FROM delivery_start)::bigint, extract(epoch FROM delivery_end)::bigint, direction,
                   trade_count, energy, turnover, revision
               FROM trades_position WHERE trader_id = %s AND market_id = %s AND delivery_day = %s
               ORDER BY delivery_start, delivery_end, direction""",
            [trader_pk, market_id, day],
        )
        return [
            PositionRow(period_at(start, end), direction, Total(count, energy, turnover), revision)
            for start, end, direction, count, energy, turnover, revision in cursor.fetchall()
        ]


def positions_of_market_day(*, market_id: int, day: date) -> dict[int, list[PositionRow]]:
    """Every trader's positions by the trader's primary key, each by delivery start. One query, by index."""
    rows = Position.objects.filter(market_id=market_id, delivery_day=day).order_by(
        "trader_id", "delivery_start", "delivery_end", "direction"
    )
    of_traders: dict[int, list[PositionRow]] = {}
    for trader, start, end, direction, count, energy, turnover, revision in rows.values_list(
        "trader_id", "delivery_start", "delivery_end", "direction", "trade_count", "energy", "turnover", "revision"
    ):
        row = PositionRow(DeliveryPeriod(start, end), direction, Total(count, energy, turnover), revision)
        of_traders.setdefault(trader, []).append(row)
    return of_traders


EVER_OF_DAY = """SELECT id FROM trades_trade WHERE market_id = %(market)s AND delivery_day = %(day)s
    UNION SELECT trade_id FROM trades_tradechange WHERE delivery_day = %(day)s"""
"""The ids of all trades that are or ever were of a delivery day."""
_OF_DAY = effective_trades(EVER_OF_DAY)

DayTrade = tuple[str, str, str, Decimal, Decimal, datetime, DeliveryPeriod]
"""Exchange's id, trader's id, direction, price, quantity (MW), execution (UTC), product."""


def trades_of_day(*, market_id: int, day: date) -> list[DayTrade]:
    """All trades of a delivery day that count, with their facts as they are now, in the order of storing. One query."""
    return read_day(_OF_DAY, market_id=market_id, day=day)


def read_day(trades: str, *, market_id: int, day: date, moment: datetime | None = None) -> list[DayTrade]:
    """Those of a SELECT of trades as they count, now or at a moment, that are of a delivery day. One query."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT e.exchange_id, w.trader_id, e.direction, e.price, e.quantity, e.execution_time,
                extract(epoch FROM e.delivery_start)::bigint, extract(epoch FROM e.delivery_end)::bigint
            FROM ({trades}) AS e JOIN trades_trader AS w ON w.id = e.trader_id
            WHERE e.market_id = %(market)s AND e.delivery_day = %(day)s ORDER BY e.id""",  # noqa: S608 - our own text
            {"market": market_id, "day": day, "moment": moment},
        )
        return [(*row[:6], period_at(row[6], row[7])) for row in cursor.fetchall()]


def trader_by_id(*, trader_id: str) -> Trader | None:
    """The trader with the exchange's id, if it is known."""
    if "\0" in trader_id:
        return None  # PostgreSQL can't be asked for it
    return Trader.objects.filter(trader_id=trader_id).first()


def all_traders() -> list[Trader]:
    """Every trader, by id."""
    return list(Trader.objects.all())


def frame_counts(*, market_id: int) -> dict[str, int]:
    """received = stored + duplicates + conflicts + quarantined, over all journals of the market."""
    names = ("received", "stored", "duplicates", "conflicts", "quarantined")
    sums = JournalProgress.objects.filter(market_id=market_id).aggregate(**{name: Sum(name) for name in names})
    return {name: int(sums[name] or 0) for name in names}


@dataclass(frozen=True, slots=True)
class StoredJournal:
    """How far a journal is stored: the number of its last stored frame, and whether that was its last of all."""

    position: int
    complete: bool


def stored_journals(*, journals: list[str]) -> dict[str, StoredJournal]:
    """Per journal identity how far it is stored; a journal never heard of is left out. One query."""
    rows = JournalProgress.objects.filter(journal__in=journals).values_list("journal", "position", "complete")
    return {journal: StoredJournal(position, complete) for journal, position, complete in rows}


@dataclass(frozen=True, slots=True)
class PeriodKey:
    """A trader's period, by primary keys; `touching`: with all products that share some of its time."""

    trader_pk: int
    market_pk: int
    day: date
    period: DeliveryPeriod
    touching: bool = False


@dataclass(frozen=True, slots=True)
class PeriodTrade:
    """One trade of a product (`period`) with its facts as they are now: `price` EUR/MWh, `quantity` MW, times UTC.

    `change` is "corrected", "cancelled" or empty, `reason` why; a cancelled trade counts in nothing.
    """

    pk: int
    exchange_id: str
    direction: str
    price: Decimal
    quantity: Decimal
    execution_time: datetime
    received_at: datetime
    period: DeliveryPeriod
    flags: tuple[str, ...]
    change: str
    reason: str

    @property
    def counts(self) -> bool:
        return self.change != "cancelled"


@dataclass(frozen=True, slots=True)
class TradeState:
    """How many trades (the cancelled too) and changes of them a period has, and the newest of both; 0 without any."""

    trades: int
    cancelled: int
    newest: int
    changes: int


def trade_state(*, key: PeriodKey) -> TradeState:
    """Whether a list of the period's trades is still right, without reading it. One query."""
    return read_state(_OF_PERIOD, key)


def read_state(statements: Mapping[bool, str], key: PeriodKey, **asked: Any) -> TradeState:
    """The same of trades as `statements` (`of_period`) has them."""
    with connection.cursor() as cursor:
        cursor.execute(_STATE + statements[key.touching], {**_arguments(key), **asked})
        return TradeState(*cursor.fetchone())


def trades_of_period(*, key: PeriodKey, after: int = 0, skip: int = 0, most: int | None = None) -> list[PeriodTrade]:
    """The period's trades, newest execution first, those that were cancelled among them. One query.

    `after` leaves out trades up to that primary key, `skip` and `most` take a page of the list.
    """
    return read_trades(_OF_PERIOD, key, after=after, skip=skip, most=most)


def read_trades(statements: Mapping[bool, str], key: PeriodKey, **asked: Any) -> list[PeriodTrade]:
    """The same of trades as `statements` (`of_period`) has them."""
    with connection.cursor() as cursor:
        cursor.execute(f"{_LIST}{statements[key.touching]}{_PAGE}", {**_arguments(key), **asked})
        return [
            PeriodTrade(*(*row[:7], DeliveryPeriod(*row[7:9]), tuple(row[9]), *row[10:])) for row in cursor.fetchall()
        ]


@dataclass(frozen=True, slots=True)
class Window:
    """A span of time in which trades of a period are wanted; `number` is whoever's who asks."""

    number: int
    key: PeriodKey
    begins: datetime
    ends: datetime


@dataclass(frozen=True, slots=True)
class WindowedTrade:
    """A trade as it counts now, with the windows that it lies in: `price` EUR/MWh, `quantity` MW."""

    direction: str
    price: Decimal
    quantity: Decimal
    execution_time: datetime
    windows: tuple[Window, ...]


def trades_in_windows(*, windows: str, values: Sequence[Any]) -> list[WindowedTrade]:
    """All trades that count and were executed in one of some windows, in the order of storing. Two queries.

    `windows` is a SELECT of `number`, `trader_id`, `market_id`, `delivery_day`, `delivery_start`, `delivery_end`,
    `begins` and `ends` (not included), in this order; `values` are its parameters.
    """
    with connection.cursor() as cursor:
        cursor.execute(_IN_WINDOWS.replace("WINDOWS", windows), values)
        of_trade: dict[int, list[Window]] = {}
        for pk, number, *key, start, end, begins, ends in cursor.fetchall():
            window = Window(number, PeriodKey(*(*key, DeliveryPeriod(start, end))), begins, ends)
            of_trade.setdefault(pk, []).append(window)
        cursor.execute(_KEYED, [list(of_trade)])
        trades = [_windowed(row[1:], of_trade[row[0]]) for row in cursor.fetchall()]
    return [trade for trade in trades if trade.windows]


def _windowed(row: tuple[Any, ...], windows: list[Window]) -> WindowedTrade:
    """A trade may have been corrected out of a window's period, or into one whenever it was executed."""
    trader, market, day, start, end, *facts, at = row
    key = PeriodKey(trader, market, day, DeliveryPeriod(start, end))
    within = tuple(one for one in windows if one.key == key and one.begins <= at < one.ends)
    return WindowedTrade(*(*facts, at, within))


def _arguments(key: PeriodKey) -> dict[str, Any]:
    return {
        "market": key.market_pk,
        "trader": key.trader_pk,
        "day": key.day,
        "start": key.period.start,
        "end": key.period.end,
    }


@dataclass(frozen=True, slots=True)
class SlotSums:
    """What one side of a period traded in each slot: slots ascending, MWh and EUR beside them."""

    period: DeliveryPeriod
    direction: str
    slots: tuple[int, ...]
    energy: tuple[Decimal, ...]
    turnover: tuple[Decimal, ...]


def slot_of(moment: datetime) -> int:
    """The number of the ten-minute slot that holds an aware moment, counted from 1970."""
    return int(moment.timestamp() // SLOT_SECONDS)


def next_slot(moment: datetime) -> datetime:
    """When the slot of an aware moment ends (UTC)."""
    return datetime.fromtimestamp((slot_of(moment) + 1) * SLOT_SECONDS, tz=UTC)


def slots_of_day(*, trader_pk: int, market_id: int, day: date) -> list[SlotSums]:
    """The slots of every position of a board, one row a position. One query, over slots and never over trades."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT p.delivery_start, p.delivery_end, p.direction, array_agg(s.slot ORDER BY s.slot),
                   array_agg(s.energy ORDER BY s.slot), array_agg(s.turnover ORDER BY s.slot)
               FROM trades_position AS p JOIN trades_positionslot AS s ON s.position_id = p.id
               WHERE p.trader_id = %s AND p.delivery_day = %s AND p.market_id = %s GROUP BY p.id""",
            [trader_pk, day, market_id],
        )
        return [_slot_sums(row) for row in cursor.fetchall()]


def _slot_sums(row: tuple[Any, ...]) -> SlotSums:
    start, end, direction, *columns = row
    return SlotSums(DeliveryPeriod(start, end), direction, *map(tuple, columns))


MADE_UP = "demo-"
"""How the sources of a demo's trades begin."""


def is_real(*, market_id: int) -> bool:
    """Whether a market has trades, and none that was made up for a demo. Two queries."""
    trades = Trade.objects.filter(market=market_id)
    return trades.exists() and not trades.filter(source__startswith=MADE_UP).exists()
