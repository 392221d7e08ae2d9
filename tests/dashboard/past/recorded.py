"""Two hours of a desk with what goes wrong on a real one, made through the product's own ways, and what was pushed.

Trades come late, twice, in batches, after an outage, from a file; frames are kept aside and booked later; trades are
corrected, moved to other traders and periods, and cancelled; prices come in any order, and finals are restated.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import time_machine
from django.contrib.auth.models import User
from django.db import connection

from dashboard.figures.board_key import WHOLE_DESK, BoardKey
from dashboard.figures.readings import Reading
from dashboard.live.boards import Rendered, render
from market.labels import parse_period
from market.models import Market
from prices.models import ProviderRequest
from prices.observations import PeriodKey, Published
from prices.store import Arrival, store_answer
from tests.dashboard.past.digests import digest
from tests.trades.frames import confirmation, germany
from trades.frames import FrameSource, JournalFrame
from trades.ledger.confirmations import TradeConfirmation, parse_frame
from trades.ledger.decisions import cancel_trade, correct_trade, retry_frame
from trades.ledger.effective import effective_facts
from trades.ledger.store import store_frames
from trades.ledger.traders import ensure_trader
from trades.models import QuarantinedMessage, Trade, TradeChange, Trader

DAY = date(2026, 11, 23)
BEGIN, HOURS = datetime(2026, 11, 23, 8, tzinfo=UTC), 2
TRADERS = ("trader_1", "trader_2", "bot_1")
HOUR_LABELS = ("08-09", "09-10", "10-11", "11-12", "12-13", "14-15")
LABELS = (*HOUR_LABELS, "12:00-12:15", "12:15-12:30", "10:30-10:45", "14:30-14:45")


@dataclass(slots=True)
class Recording:
    """What every watched board was, from which moment on, oldest first."""

    boards: list[BoardKey]
    pushed: dict[BoardKey, list[tuple[datetime, str]]] = field(default_factory=dict)
    moments: list[datetime] = field(default_factory=list)
    flights: list[tuple[datetime, datetime]] = field(default_factory=list)
    """From when something was here until the boards with it were pushed."""

    def is_in_flight(self, moment: datetime) -> bool:
        """Whether something had come that no screen had yet."""
        return any(came <= moment < pushed for came, pushed in self.flights)

    def at(self, key: BoardKey, moment: datetime) -> str:
        """The digest of what was pushed last by the moment."""
        return [text for at, text in self.pushed[key] if at <= moment][-1]


class Drill:
    """The desk at work: each event at a moment of its own, and every board pushed after it."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.market: Market = germany()
        self.user = User.objects.create_user("judge")
        self.number = self.frame = 0
        self.came = BEGIN
        self.rendered: dict[BoardKey, Rendered] = {}
        traders = [ensure_trader(trader_id=name) for name in TRADERS]
        keys = [BoardKey(traders[0].pk, self.market.pk, DAY, reading=reading) for reading in Reading]
        keys += [BoardKey(traders[1].pk, self.market.pk, DAY), BoardKey(WHOLE_DESK, self.market.pk, DAY)]
        self.recording = Recording(keys, {key: [] for key in keys})

    def run(self, events: int) -> Recording:
        """So many events, spread over the two hours."""
        kinds: list[tuple[Callable[[datetime], None], int]] = [
            (self.trades, 50), (self.prices, 25), (self.correct, 6), (self.cancel, 4), (self.aside, 4),
            (self.retry, 4), (self.again, 4), (self.outage, 2),
        ]  # fmt: skip
        step = timedelta(hours=HOURS) / events
        with time_machine.travel(BEGIN, tick=False) as traveller:
            self.push(BEGIN)
            for number in range(1, events):
                moment = BEGIN + number * step + timedelta(microseconds=self.chance.randrange(900_000))
                traveller.move_to(moment)
                self.came = moment
                self.chance.choices([kind for kind, _ in kinds], [weight for _, weight in kinds])[0](moment)
                self.push(moment + timedelta(milliseconds=self.chance.randrange(1, 400)))
        return self.recording

    def push(self, moment: datetime) -> None:
        """Each board as the hub renders it, from what it rendered before."""
        for key in self.recording.boards:
            before = self.rendered.get(key)
            self.rendered[key] = render(key, moment, replace(before, prices_moved=True) if before else None)
            self.recording.pushed[key].append((moment, digest(self.rendered[key].board)))
        self.recording.moments.append(moment)
        self.recording.flights.append((self.came, moment))

    # --- what happens -----------------------------------------------------------------------------------------------

    def trades(self, moment: datetime) -> None:
        """One to four confirmations in one batch, some executed long before."""
        self.store([self.a_frame(moment) for _ in range(self.chance.randint(1, 4))], moment)

    def outage(self, moment: datetime) -> None:
        """What was received and could not be stored at once; no board was pushed meanwhile."""
        last = self.recording.moments[-1]
        waited = sorted(last + (moment - last) * self.chance.random() for _ in range(3))
        self.came = waited[0]
        for received in waited:
            self.store([self.a_frame(received)], received)

    def again(self, moment: datetime) -> None:
        """A duplicate, and the same id with another price: a conflict."""
        if self.number:
            identity = f"t-{self.chance.randint(1, self.number)}"
            self.store([confirmation(identity, trader_id=TRADERS[0], delivery_hour="14-15", price=1.25)], moment)

    def aside(self, moment: datetime) -> None:
        """A frame that is kept aside, though it is a good one."""
        self.frame += 1
        QuarantinedMessage.objects.create(
            market=self.market, kind="unusable", reason="refused_by_database", detail="x", raw=self.a_frame(moment),
            listener="l", received_at=moment, source="aside", source_position=self.frame,
        )  # fmt: skip

    def retry(self, moment: datetime) -> None:
        """Of the frames kept aside the oldest one is booked after all."""
        message = QuarantinedMessage.objects.filter(status="open", kind="unusable").order_by("id").first()
        if message is not None:
            retry_frame(message=message, note="mended", user=self.user, now=moment)

    def correct(self, moment: datetime) -> None:
        """Another price, quantity, trader or period."""
        trade = self.a_counting_trade()
        if trade is not None:
            facts = parse_frame(self.a_frame(moment), self.market.calendar)
            assert isinstance(facts, TradeConfirmation)
            self.dated(correct_trade(trade=trade, facts=facts, reason="typo", user=self.user), moment)

    def cancel(self, moment: datetime) -> None:
        trade = self.a_counting_trade()
        if trade is not None:
            self.dated(cancel_trade(trade=trade, reason="by the exchange", user=self.user), moment)

    def prices(self, moment: datetime) -> None:
        """A publication for some periods, of now or, late and useless, of before."""
        published = moment - timedelta(seconds=self.chance.choice([1, 20, 400]))
        periods = {parse_period(DAY, label, self.market.calendar).period for label in self.chance.sample(LABELS, 4)}
        for period in sorted({*periods, self.market.day_periods(DAY)[9]}, key=lambda one: one.start):
            key = PeriodKey(self.market.pk, DAY, period.start, period.end)
            request = ProviderRequest.objects.create(
                market=self.market, delivery_start=period.start, delivery_end=period.end, sent_at=moment
            )
            value = Decimal(self.chance.randrange(-4000, 9000)) / 100
            gate = self.market.gate_closure(DAY, period)
            label = self.market.label_of(period)
            store_answer(Arrival(request.pk, key, label, Published(value, published), moment, gate))

    # --- how --------------------------------------------------------------------------------------------------------

    def a_frame(self, moment: datetime) -> bytes:
        self.number += 1
        executed = moment - timedelta(seconds=self.chance.choice([0, 1, 2, 1500]))
        return confirmation(
            f"t-{self.number}",
            trader_id=self.chance.choice(TRADERS),
            delivery_day=DAY.isoformat(),
            delivery_hour=self.chance.choice(LABELS),
            direction=self.chance.choice(["buy", "sell"]),
            price=self.chance.randrange(-4000, 9000) / 100,
            quantity=self.chance.randrange(1, 120) / 10,
            execution_time=executed.isoformat(),
        )

    def store(self, frames: list[bytes], received: datetime) -> None:
        numbered = [JournalFrame(self.frame + n, received, frame) for n, frame in enumerate(frames, start=1)]
        self.frame += len(frames)
        store_frames(market=self.market, source=FrameSource("drill", "listener-1"), frames=numbered)

    def a_counting_trade(self) -> Trade | None:
        trades = list(Trade.objects.order_by("id"))
        self.chance.shuffle(trades)
        return next((trade for trade in trades if effective_facts(trade_pk=trade.pk) is not None), None)

    def dated(self, change: TradeChange, moment: datetime) -> None:
        """PostgreSQL's clock dates a decision; here it has the drill's time."""
        moved("trades_tradechange", "made_at", change.pk, moment)


def moved(table: str, column: str, pk: int, moment: Any) -> None:
    """Change a record that nothing of the product may change."""
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(f"UPDATE {table} SET {column} = %s WHERE id = %s", [moment, pk])
        cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def trader_of(key: BoardKey) -> Trader | None:
    """Whose board it is; None: the whole desk's."""
    return None if key.trader_pk is None else Trader.objects.get(pk=key.trader_pk)
