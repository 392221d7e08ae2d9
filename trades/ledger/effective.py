"""Stored trades held against confirmations, and against the positions that they add up to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db import connection
from django.db.models import DurationField, ExpressionWrapper, F

from trades.effective_trades import IDENTITY, effective_trades
from trades.ledger.confirmations import TradeConfirmation
from trades.models import Trade, TradeChange

PositionKey = tuple[int, int, str, date, datetime, datetime]
"""market, trader (primary keys), direction, delivery day, delivery start, delivery end."""

SUMS = """min(delivery_hour) AS hour, count(*) AS n, sum(quantity) AS mw,
    sum(quantity * extract(epoch FROM delivery_end - delivery_start) / 3600) AS mwh,
    sum(price * quantity * extract(epoch FROM delivery_end - delivery_start) / 3600) AS eur"""
"""What trades add up to, as PostgreSQL computes it: a second way to the same figures, exact in numeric."""


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
    second: StoredFacts | None = None
    """The other side under the same id, where a person has booked it."""
    now: StoredFacts | None = None
    """What a person has corrected it to, where that was asked for and counts."""

    def differences(self, c: TradeConfirmation) -> list[str]:
        """Names of the facts in which the confirmation differs; none for a true duplicate of either side.

        One that says what a person has corrected the side to is a duplicate, too; its execution time may be another,
        as nobody can correct that.
        """
        if self.second is not None and c.direction == self.second.direction:
            return self.second.differences(c)
        if self.now is not None and set(self.now._differing(c)) <= {"execution_time"}:
            return []
        return self._differing(c)

    def _differing(self, c: TradeConfirmation) -> list[str]:
        facts = {
            "direction": c.direction,
            "price": c.price,
            "quantity": c.quantity,
            "delivery_start": c.period.start,
            "delivery_end": c.period.end,
            "trader_id": c.trader_id,
            "execution_time": c.execution_time,
        }
        return [name for name, value in facts.items() if getattr(self, name) != value]

    def has_other_side(self, c: TradeConfirmation) -> bool:
        """Whether the confirmation is this trade's other side: the desk traded with itself."""
        if self.second is not None or self.direction == c.direction:
            return False
        return any(facts._mirrors(c) for facts in (self, self.now) if facts is not None)

    def _mirrors(self, c: TradeConfirmation) -> bool:
        same = (self.price, self.quantity, self.delivery_start, self.delivery_end)
        return same == (c.price, c.quantity, c.period.start, c.period.end) and self.direction != c.direction


def facts_of(c: TradeConfirmation) -> StoredFacts:
    """A confirmation's facts as they would be stored."""
    return StoredFacts(c.direction, c.price, c.quantity, c.period.start, c.period.end, c.trader_id, c.execution_time)


def stored_facts(*, market_id: int, exchange_ids: Iterable[str]) -> dict[str, StoredFacts]:
    """exchange_id -> facts, for those of the ids that are stored. One query."""
    names = ("direction", "price", "quantity", "delivery_start", "delivery_end", "trader__trader_id", "execution_time")
    rows = Trade.objects.filter(market_id=market_id, exchange_id__in=sorted(set(exchange_ids))).values_list(
        "exchange_id", *names, *(f"second_sides__{name}" for name in names)
    )
    return {row[0]: replace(StoredFacts(*row[1:8]), second=StoredFacts(*row[8:]) if row[8] else None) for row in rows}


def judged_facts(*, market_id: int, exchange_ids: Iterable[str]) -> dict[str, StoredFacts]:
    """The same, with what people have corrected the trades and their second sides to. Two queries."""
    wanted = sorted(set(exchange_ids))
    found = stored_facts(market_id=market_id, exchange_ids=wanted)
    ids = """SELECT id FROM trades_trade WHERE market_id = %s AND exchange_id = ANY(%s)
        UNION ALL SELECT two.id FROM trades_trade AS one JOIN trades_trade AS two ON two.second_side_of_id = one.id
        WHERE one.market_id = %s AND one.exchange_id = ANY(%s)"""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT own.exchange_id, one.exchange_id, e.direction, e.price, e.quantity, e.delivery_start,
                    e.delivery_end, trader.trader_id, e.execution_time
                FROM ({effective_trades(ids=ids)}) AS e JOIN trades_trader AS trader ON trader.id = e.trader_id
                JOIN trades_trade AS own ON own.id = e.id
                LEFT JOIN trades_trade AS one ON one.id = own.second_side_of_id
                WHERE e.kind = 'corrected'""",  # noqa: S608 - our own text
            [market_id, wanted, market_id, wanted],
        )
        for own, first, *facts in cursor.fetchall():
            now = StoredFacts(*facts)
            if own in found:
                found[own] = replace(found[own], now=now)
            if first in found and (second := found[first].second) is not None:
                found[first] = replace(found[first], second=replace(second, now=now))
    return found


def side_of(*, market_id: int, confirmation: TradeConfirmation) -> Trade | None:
    """The stored trade that a confirmation is about: the one with its id, or that one's booked second side where the
    direction is the second side's. None where the id is not stored."""
    first = Trade.objects.filter(market_id=market_id, exchange_id=confirmation.exchange_id).first()
    second = first and first.second_sides.filter(direction=confirmation.direction).first()
    return second or first


def effective_facts_of(*, market_id: int, exchange_ids: Iterable[str]) -> dict[str, tuple[str, StoredFacts]]:
    """exchange_id -> what was last decided of the trade ("" for nothing) and its facts as they count. One query."""
    ids = "SELECT id FROM trades_trade WHERE market_id = %s AND exchange_id = ANY(%s)"
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT e.exchange_id, e.kind, e.direction, e.price, e.quantity, e.delivery_start, e.delivery_end,
                    trader.trader_id, e.execution_time
                FROM ({effective_trades(ids=ids, cancelled_too=True)}) AS e
                JOIN trades_trader AS trader ON trader.id = e.trader_id""",  # noqa: S608 - our own text
            [market_id, sorted(set(exchange_ids))],
        )
        return {row[0]: (row[1], StoredFacts(*row[2:])) for row in cursor.fetchall()}


def trades_in_scope(
    *,
    market_id: int,
    trader_ids: set[str],
    delivery_days: set[date],
    executed_from: datetime,
    executed_before: datetime,
) -> dict[str, tuple[str, str]]:
    """Stored trades of these traders and delivery days, executed in the half-open interval: exchange id -> the id that
    the exchange's file has for it (a second side's is its first side's), and the direction."""
    rows = Trade.objects.filter(
        market_id=market_id,
        trader__trader_id__in=trader_ids,
        delivery_day__in=delivery_days,
        execution_time__gte=executed_from,
        execution_time__lt=executed_before,
    )
    return {
        stored: (first or stored, direction)
        for stored, first, direction in rows.values_list("exchange_id", "second_side_of__exchange_id", "direction")
    }


def lengths_between(*, market_id: int, start: datetime, end: datetime) -> set[timedelta]:
    """How long the periods of the trades are that were executed in the half-open interval."""
    rows = Trade.objects.filter(market_id=market_id, execution_time__gte=start, execution_time__lt=end)
    length = ExpressionWrapper(F("delivery_end") - F("delivery_start"), output_field=DurationField())
    return set(rows.order_by().annotate(length=length).values_list("length", flat=True).distinct())


def traders_between(*, market_id: int, start: datetime, end: datetime) -> set[str]:
    """Ids of the traders with stored trades executed in the half-open interval."""
    rows = Trade.objects.filter(market_id=market_id, execution_time__gte=start, execution_time__lt=end)
    return set(rows.order_by().values_list("trader__trader_id", flat=True).distinct())


@dataclass(frozen=True, slots=True)
class PositionDifference:
    """A position that is not what its trades add up to. Sums: trades, MW, MWh, EUR."""

    key: PositionKey
    delivery_hour: str
    of_trades: tuple[Decimal, ...]
    of_position: tuple[Decimal, ...]

    def __str__(self) -> str:
        names = ("trades", "MW", "MWh", "EUR")
        differences = ", ".join(
            f"{of_position.normalize():f} instead of {ours.normalize():f} {name}"
            for name, ours, of_position in zip(names, self.of_trades, self.of_position, strict=True)
            if ours != of_position
        )
        return f"{self.key[3]} {self.delivery_hour} {self.key[2]}, trader {self.key[1]}: {differences}"


def position_differences() -> list[PositionDifference]:
    """Every position that differs from its trades, from one consistent snapshot; safe while trades arrive."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""WITH t AS (SELECT {IDENTITY}, {SUMS} FROM ({effective_trades()}) AS e GROUP BY {IDENTITY})
            SELECT {IDENTITY}, coalesce(t.hour, p.delivery_hour), coalesce(t.n, 0), coalesce(t.mw, 0),
                coalesce(t.mwh, 0), coalesce(t.eur, 0), coalesce(p.trade_count, 0),
                coalesce(p.quantity, 0), coalesce(p.energy, 0), coalesce(p.turnover, 0)
            FROM t FULL JOIN trades_position p
                USING ({IDENTITY})
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


def facts_now(trade: Trade) -> Trade | TradeChange | None:
    """What the trade counts with: its newest correction, else its own row; None once it is cancelled."""
    newest = trade.changes.select_related("trader").first()
    if newest is None:
        return trade
    return None if newest.kind == TradeChange.Kind.CANCELLED else newest


def effective_facts(*, trade_pk: int) -> PositionKey | None:
    """The position that a trade counts in now, with its newest correction; None once it is cancelled."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {IDENTITY} FROM ({effective_trades(ids='SELECT %s::bigint AS id')}) AS e",  # noqa: S608 - our own text
            [trade_pk],
        )
        row = cursor.fetchone()
    return None if row is None else tuple(row)
