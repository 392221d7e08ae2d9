"""Every read of trades, positions, quarantined frames and the feed's state. Keyword-only arguments, no writes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db import connection
from django.db.models import Sum

from market.periods import DeliveryPeriod
from trades.confirmations import TradeConfirmation
from trades.models import FeedConnection, FeedGap, JournalProgress, Position, Trade, Trader

ALIVE_EVERY = timedelta(seconds=1.5)
"""How often a connected listener says so; two and a half times without a word means that it is not."""


@dataclass(frozen=True, slots=True)
class PositionRow:
    """What one trader sold or bought in one period. `energy` MWh, `turnover` EUR."""

    period: DeliveryPeriod
    direction: str
    trade_count: int
    energy: Decimal
    turnover: Decimal
    revision: int


@dataclass(frozen=True, slots=True)
class ExchangeFeedState:
    """The exchange feed as people ask for it: is it connected, since when, and when did it last say something?

    `silent`: not connected as far as anybody can tell, because nothing on the open line is answered.
    """

    connected: bool
    since: datetime | None
    last_frame_at: datetime | None
    silent: bool = False


def positions_of_day(*, trader_pk: int, market_id: int, day: date) -> list[PositionRow]:
    """At most one row per period and direction, by delivery start. One query."""
    with connection.cursor() as cursor:  # written out: building it anew for every changed board takes longer than it
        cursor.execute(
            """SELECT delivery_start, delivery_end, direction, trade_count, energy, turnover, revision
               FROM trades_position WHERE trader_id = %s AND market_id = %s AND delivery_day = %s
               ORDER BY delivery_start, delivery_end, direction""",
            [trader_pk, market_id, day],
        )
        return [
            PositionRow(DeliveryPeriod(start, end), direction, count, energy, turnover, revision)
            for start, end, direction, count, energy, turnover, revision in cursor.fetchall()
        ]


def positions_of_market_day(*, market_id: int, day: date) -> dict[int, list[PositionRow]]:
    """Every trader's positions by the trader's primary key, each by delivery start. One query, by index."""
    rows = Position.objects.filter(market_id=market_id, delivery_day=day).order_by(
        "trader_id", "delivery_start", "delivery_end", "direction"
    )
    found: dict[int, list[PositionRow]] = {}
    for trader, start, end, direction, count, energy, turnover, revision in rows.values_list(
        "trader_id", "delivery_start", "delivery_end", "direction", "trade_count", "energy", "turnover", "revision"
    ):
        row = PositionRow(DeliveryPeriod(start, end), direction, count, energy, turnover, revision)
        found.setdefault(trader, []).append(row)
    return found


def day_position_versions(*, keys: set[tuple[int, date]]) -> dict[tuple[int, date], int]:
    """The summed revisions of whole days, all traders together. Keys: (market primary key, day). One query."""
    if not keys:
        return {}
    rows = (
        Position.objects.filter(market_id__in={k[0] for k in keys}, delivery_day__in={k[1] for k in keys})
        .order_by()
        .values_list("market_id", "delivery_day")
        .annotate(total=Sum("revision"))
    )
    found = {(market, day): int(total) for market, day, total in rows}
    return {key: found.get(key, 0) for key in keys}


def position_versions(*, keys: set[tuple[int, int, date]]) -> dict[tuple[int, int, date], int]:
    """The summed revisions of many boards at once. Keys: (trader primary key, market primary key, day). One query."""
    if not keys:
        return {}
    rows = (
        Position.objects.filter(trader_id__in={k[0] for k in keys}, delivery_day__in={k[2] for k in keys})
        .values_list("trader_id", "market_id", "delivery_day")
        .annotate(total=Sum("revision"))
    )
    found = {(trader, market, day): int(total) for trader, market, day, total in rows}
    return {key: found.get(key, 0) for key in keys}


def trader_by_id(*, trader_id: str) -> Trader | None:
    """The trader with the exchange's id, if it is known."""
    if "\0" in trader_id:
        return None  # PostgreSQL can't be asked for it
    return Trader.objects.filter(trader_id=trader_id).first()


def all_traders() -> list[Trader]:
    """Every trader, by id."""
    return list(Trader.objects.all())


def feed_state(*, market_id: int, now: datetime) -> ExchangeFeedState:
    """Whether any listener hears the market's exchange now. One query over the newest connections."""
    newest = list(FeedConnection.objects.filter(market_id=market_id).order_by("-alive_at")[:16])
    alive = [c for c in newest if c.disconnected_at is None and now - c.alive_at <= ALIVE_EVERY * 2.5]
    last_frame = max((c.last_frame_at for c in newest if c.last_frame_at), default=None)
    heard = [c for c in alive if c.silent_since is None]
    if heard:
        return ExchangeFeedState(True, min(c.connected_at for c in heard), last_frame)
    lost = max((c.disconnected_at or c.silent_since or c.alive_at for c in newest), default=None)
    return ExchangeFeedState(False, lost, last_frame, silent=bool(alive))


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
class StoredFacts:
    """The facts of a stored trade, to be held against a confirmation with the same id."""

    direction: str
    price: Decimal
    quantity: Decimal
    delivery_start: datetime
    delivery_end: datetime
    trader_id: str
    execution_time: datetime

    def differences(self, c: TradeConfirmation) -> list[str]:
        """Names of the facts in which the confirmation differs; none for a true duplicate."""
        theirs = {
            "direction": c.direction,
            "price": c.price,
            "quantity": c.quantity,
            "delivery_start": c.period.start,
            "delivery_end": c.period.end,
            "trader_id": c.trader_id,
            "execution_time": c.execution_time,
        }
        return [name for name, value in theirs.items() if getattr(self, name) != value]


def stored_facts(*, market_id: int, exchange_ids: Iterable[str]) -> dict[str, StoredFacts]:
    """exchange_id -> facts, for those of the ids that are stored. One query."""
    rows = Trade.objects.filter(market_id=market_id, exchange_id__in=sorted(set(exchange_ids))).values_list(
        "exchange_id",
        "direction",
        "price",
        "quantity",
        "delivery_start",
        "delivery_end",
        "trader__trader_id",
        "execution_time",
    )
    return {row[0]: StoredFacts(*row[1:]) for row in rows}


def trades_in_scope(
    *,
    market_id: int,
    trader_ids: set[str],
    delivery_days: set[date],
    executed_from: datetime,
    executed_before: datetime,
) -> set[str]:
    """Exchange ids of the stored trades of these traders and delivery days, executed in the half-open interval."""
    rows = Trade.objects.filter(
        market_id=market_id,
        trader__trader_id__in=trader_ids,
        delivery_day__in=delivery_days,
        execution_time__gte=executed_from,
        execution_time__lt=executed_before,
    )
    return set(rows.values_list("exchange_id", flat=True))


def traders_between(*, market_id: int, start: datetime, end: datetime) -> set[str]:
    """Ids of the traders with stored trades executed in the half-open interval."""
    rows = Trade.objects.filter(market_id=market_id, execution_time__gte=start, execution_time__lt=end)
    return set(rows.order_by().values_list("trader__trader_id", flat=True).distinct())


PositionKey = tuple[int, int, str, date, datetime, datetime]
"""market, trader (primary keys), direction, delivery day, delivery start, delivery end."""


@dataclass(frozen=True, slots=True)
class PositionDifference:
    """A position that is not what its trades add up to. Sums: trades, MW, MWh, EUR."""

    key: PositionKey
    delivery_hour: str
    of_trades: tuple[Decimal, ...]
    of_position: tuple[Decimal, ...]

    def __str__(self) -> str:
        names = ("trades", "MW", "MWh", "EUR")
        said = ", ".join(
            f"{theirs.normalize():f} instead of {ours.normalize():f} {name}"
            for name, ours, theirs in zip(names, self.of_trades, self.of_position, strict=True)
            if ours != theirs
        )
        return f"{self.key[3]} {self.delivery_hour} {self.key[2]}, trader {self.key[1]}: {said}"


EFFECTIVE_TRADES = """SELECT t.id, t.market_id, coalesce(c.trader_id, t.trader_id) AS trader_id,
    coalesce(nullif(c.direction, ''), t.direction) AS direction, coalesce(c.price, t.price) AS price,
    coalesce(c.quantity, t.quantity) AS quantity, coalesce(c.delivery_day, t.delivery_day) AS delivery_day,
    coalesce(nullif(c.delivery_hour, ''), t.delivery_hour) AS delivery_hour,
    coalesce(c.delivery_start, t.delivery_start) AS delivery_start,
    coalesce(c.delivery_end, t.delivery_end) AS delivery_end, t.execution_time
    FROM trades_trade t
    LEFT JOIN (SELECT DISTINCT ON (trade_id) * FROM trades_tradechange ORDER BY trade_id, id DESC) AS c
        ON c.trade_id = t.id
    WHERE c.kind IS DISTINCT FROM 'cancelled'"""
"""Trades as they count now: with their newest correction, without the cancelled ones."""

SUMS = """min(delivery_hour) AS hour, count(*) AS n, sum(quantity) AS mw,
    sum(quantity * extract(epoch FROM delivery_end - delivery_start) / 3600) AS mwh,
    sum(price * quantity * extract(epoch FROM delivery_end - delivery_start) / 3600) AS eur"""
"""What trades add up to, as PostgreSQL computes it: a second way to the same figures, exact in numeric."""


def position_differences() -> list[PositionDifference]:
    """Every position that differs from its trades, from one consistent snapshot; safe while trades arrive."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""WITH t AS (SELECT market_id, trader_id, direction, delivery_day, delivery_start, delivery_end, {SUMS}
                FROM ({EFFECTIVE_TRADES}) AS e GROUP BY 1, 2, 3, 4, 5, 6)
            SELECT market_id, trader_id, direction, delivery_day, delivery_start, delivery_end,
                coalesce(t.hour, p.delivery_hour), coalesce(t.n, 0), coalesce(t.mw, 0), coalesce(t.mwh, 0),
                coalesce(t.eur, 0), coalesce(p.trade_count, 0), coalesce(p.quantity, 0), coalesce(p.energy, 0),
                coalesce(p.turnover, 0)
            FROM t FULL JOIN trades_position p
                USING (market_id, trader_id, direction, delivery_day, delivery_start, delivery_end)
            WHERE (coalesce(t.n, 0), coalesce(t.mw, 0), coalesce(t.mwh, 0), coalesce(t.eur, 0))
                IS DISTINCT FROM (coalesce(p.trade_count, 0), coalesce(p.quantity, 0), coalesce(p.energy, 0),
                coalesce(p.turnover, 0))
            ORDER BY delivery_start, trader_id, direction"""  # noqa: S608 - our own text, no input
        )
        rows = cursor.fetchall()
    return [
        PositionDifference(row[:6], row[6], tuple(map(Decimal, row[7:11])), tuple(map(Decimal, row[11:15])))
        for row in rows
    ]


def effective_facts(*, trade_pk: int) -> PositionKey | None:
    """The position that a trade counts in now, with its newest correction; None once it is cancelled."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT market_id, trader_id, direction, delivery_day, delivery_start, delivery_end
                FROM ({EFFECTIVE_TRADES} AND t.id = %s) AS e""",  # noqa: S608 - our own text
            [trade_pk],
        )
        row = cursor.fetchone()
    return None if row is None else tuple(row)


def open_gaps(*, market_id: int, most: int = 20) -> list[FeedGap]:
    """The gaps of the feed that nobody has closed, newest first."""
    return list(FeedGap.objects.filter(market_id=market_id, closed_at=None)[:most])
