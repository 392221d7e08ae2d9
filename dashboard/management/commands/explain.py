"""`manage.py explain TRADE_ID`: one trade from its frame to the board's figure."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from dashboard.figures.board import load_board
from dashboard.render import formatting as fmt
from market import clock
from market.models import Market
from market.queries import MarketError, market_by_code
from market.totals import Total
from trades.models import Trade, TradeChange, TradeFlag
from trades.trace import Trace, readable, trace

LONGEST_SHOWN_FRAME = 4000


class Command(BaseCommand):
    help = "Traces one trade: its frame, the journal, the row, what became of it, its position, and the board's figure."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("trade_id", metavar="TRADE_ID", help="the exchange's id")
        parser.add_argument("--market", help="code of the market (needed with several active ones)")

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            market = market_by_code(options["market"])
        except MarketError as error:
            raise CommandError(str(error)) from None
        wanted = options["trade_id"]
        traced = trace(market_id=market.pk, exchange_id=wanted, directory=settings.TRADE_JOURNAL_DIR)
        if traced is None:
            raise CommandError(f"market {market} has no trade with the id “{wanted}”")
        now = clock.now()
        for side in (traced, *self._second_sides(traced)):
            for title, lines in _sections(side, market, now):
                self.stdout.write(title)
                for line in lines:
                    self.stdout.write(f"  {line}")

    def _second_sides(self, first: Trace) -> Iterator[Trace]:
        """The other side of a trade of the desk with itself, traced as a whole of its own."""
        for trade in first.trade.second_sides.all():
            found = trace(
                market_id=trade.market_id, exchange_id=trade.exchange_id, directory=settings.TRADE_JOURNAL_DIR
            )
            if found is not None:
                yield found


def _sections(trace: Trace, market: Market, now: datetime) -> Iterator[tuple[str, list[str]]]:
    currency = market.rules_on(trace.trade.delivery_day).currency
    yield "Frame", _frame(trace)
    yield f"Trade {trace.trade.exchange_id} in {market}", list(_row(trace.trade, currency))
    yield (
        "Changes",
        [_change(change, currency) for change in trace.changes] or ["none: it counts as it was confirmed"],
    )
    if trace.kept_aside:
        yield "Frames with this id kept aside", [_aside(message) for message in trace.kept_aside]
    yield "Position", list(_position(trace, currency))
    if trace.facts is not None:
        yield "Board", list(_board(trace.facts, market, now))


def _frame(trace: Trace) -> list[str]:
    origin = trace.origin
    shown = "not at hand" if origin.frame is None else readable(origin.frame, LONGEST_SHOWN_FRAME)
    return [shown, *origin.words]


def _row(trade: Trade, currency: str) -> Iterator[str]:
    yield _facts(trade, currency)
    if trade.second_side_of is not None:
        yield f"the other side of trade {trade.second_side_of.exchange_id}: the desk traded with itself"
    yield f"executed {_moment(trade.execution_time)}"
    yield f"received {_moment(trade.received_at)}"
    yield f"stored   {_moment(trade.stored_at)}"
    labels = dict(TradeFlag.choices)
    yield "flags: " + (", ".join(str(labels.get(flag, flag)) for flag in trade.flags) or "none")


def _facts(facts: Trade | TradeChange, currency: str) -> str:
    price, quantity = fmt.plain(facts.price), fmt.plain(facts.quantity)
    when = f"{facts.delivery_day} {facts.delivery_hour}"
    who = facts.trader.trader_id if facts.trader else ""
    return f"{facts.direction} {quantity} MW at {price} {currency}/MWh, delivery {when}, trader {who}"


def _change(change: TradeChange, currency: str) -> str:
    to = f" to: {_facts(change, currency)}" if change.kind == TradeChange.Kind.CORRECTED else ""
    return f"{_moment(change.made_at)} {change.kind} by {change.made_by} ({change.reason}){to}"


def _aside(message: Any) -> str:
    return f"no. {message.pk}, {_moment(message.received_at)}, {message.status}: {message.detail}"


def _position(trace: Trace, currency: str) -> Iterator[str]:
    if trace.facts is None:
        yield "none: the trade is cancelled and counts nowhere"
        return
    facts, position = trace.facts, trace.position
    who = facts.trader.trader_id if facts.trader else ""
    yield f"{who}, {facts.delivery_day} {facts.delivery_hour}, {facts.direction}"
    if position is None:
        yield "there is no such position; check_positions --rebuild mends that"
        return
    held = Total(position.trade_count, position.energy, position.turnover, position.quantity)
    yield f"{_sums(held, currency)} (revision {position.revision}, {_moment(position.updated_at)})"
    if trace.is_exact:
        yield f"equals the sum of its {_trades(held.trade_count)}, this one included"
    else:
        yield f"but its trades add up to {_sums(trace.of_trades, currency)}; check_positions --rebuild mends that"


def _trades(amount: int) -> str:
    return f"{fmt.count(amount)} {'trade' if amount == 1 else 'trades'}"


def _sums(sums: Total, currency: str) -> str:
    trades = _trades(sums.trade_count)
    return (
        f"{trades}, {fmt.plain(sums.quantity)} MW, {fmt.plain(sums.energy)} MWh, {fmt.plain(sums.turnover)} {currency}"
    )


def _board(facts: Trade | TradeChange, market: Market, now: datetime) -> Iterator[str]:
    assert facts.trader is not None
    assert facts.delivery_day is not None
    board = load_board(trader=facts.trader, market=market, delivery_day=facts.delivery_day, now=now)
    row = next(
        (r for r in board.rows if (r.period.start, r.period.end) == (facts.delivery_start, facts.delivery_end)), None
    )
    if row is None:
        yield "the day has no such period"
        return
    figures, per_mwh = row.figures, f"{board.currency}/MWh"
    yield f"{row.delivery_hour} of {board.delivery_day}, {row.state}"
    yield f"our average price {_figure(figures.average_price)} {per_mwh}"
    for side, leg in (("sold", figures.sold), ("bought", figures.bought)):
        if figures.is_mixed:
            yield f"  {side} {fmt.number(leg.energy)} MWh at {_figure(leg.average_price)} {per_mwh}"
    yield f"reference price {_figure(figures.reference_price)} {per_mwh}" + (
        f", published {_moment(row.reference.last_update)}" if row.reference else ", none known"
    )
    yield f"performance {_figure(figures.performance, signed=True)} {per_mwh}"
    yield f"result {_figure(figures.performance_eur, signed=True)} {board.currency}"


def _figure(value: Decimal | None, *, signed: bool = False) -> str:
    """As the board shows it."""
    return fmt.number(value, signed=signed)


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S.%f} UTC"
