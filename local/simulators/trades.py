"""The desk's trades, made up: several traders of different skill and a bot, around the simulated market's price.

The same seed gives the same sequence of prices, sizes, directions and periods (relative to now); ids are another's
matter, so that a restart never repeats one.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal

from local.simulators.areas import Area
from local.simulators.prices import CENT, as_json, reference
from market.labels import label_of
from market.periods import HOUR, DeliveryPeriod, day_of
from market.rules import BLOCK

ENVELOPES = ("trade_confirmation", "deal_confirmation")
_GARBAGE: tuple[str | bytes, ...] = (
    "no JSON at all",
    '{"trade_confirmation": {"id": "broken", "price": 20.5',
    '{"trade_confirmation": {"id": "text-price", "price": "20.5", "quantity": 1, "direction": "buy"}}',
    '{"order_book": {"best_bid": 20.5, "best_ask": 20.7}}',
    "[]",
    b"\x00\x01\xfe\xff",
)


@dataclass(frozen=True, slots=True)
class Profile:
    """How somebody trades. `edge`: how much better than the market on average, in EUR/MWh."""

    trader_id: str
    edge: float
    spread: float
    sells: float
    largest_mw: float


_SKILLS = ((1.2, 0.85), (0.5, 0.75), (-0.4, 0.92), (0.1, 0.55), (-1.1, 0.7))  # (edge, share of sells)


def profiles(traders: int, bots: int) -> list[Profile]:
    """trader_1, trader_2, … and bot_1, …: renewables have to be sold, so nearly all of them mostly sell."""
    people = [Profile(f"trader_{n + 1}", *_skill(n), largest_mw=25) for n in range(traders)]
    return people + [Profile(f"bot_{n + 1}", 0.15, 0.6, 0.6, largest_mw=2) for n in range(bots)]


def _skill(number: int) -> tuple[float, float, float]:
    edge, sells = _SKILLS[number % len(_SKILLS)]
    return edge, 2.5, sells


@dataclass(frozen=True, slots=True)
class Trade:
    """One trade as it goes onto the wire."""

    id: str
    price: Decimal
    quantity: Decimal
    direction: str
    delivery_day: str
    delivery_hour: str
    trader_id: str
    execution_time: str


def confirmation(trade: Trade, envelope: str) -> str:
    """The frame that the exchange pushes for a trade."""
    fields = {name: getattr(trade, name) for name in Trade.__dataclass_fields__}
    return as_json({envelope: fields})


@dataclass(frozen=True, slots=True)
class Habits:
    """What the exchange's day is like, faults included; the shares run from 0 to 1."""

    seed: int = 1
    traders: int = 5
    bots: int = 1
    area: Area = field(default_factory=Area)
    envelope: str = "trade_confirmation"
    quarter_hours: float = 0
    """The share of products shorter than an hour."""
    blocks: float = 0
    duplicates: float = 0
    conflicts: float = 0
    garbage: float = 0
    unknown_traders: float = 0


class Desk:
    """Makes the frames, one call a trade. `id_prefix` must differ from run to run unless repeats are wanted."""

    def __init__(self, habits: Habits, id_prefix: str) -> None:
        self.habits, self.id_prefix = habits, id_prefix
        self._dice = random.Random(habits.seed)
        self._profiles = profiles(habits.traders, habits.bots)
        self._weights = [
            4.0 if p.trader_id.startswith("bot") else 1 + 1 / (n + 1) for n, p in enumerate(self._profiles)
        ]
        self._count = 0

    def frames(self, now: datetime) -> Iterator[str | bytes]:
        """The frames of one trade: its confirmation, and what the faults add to it."""
        trade = self.trade(now)
        dice, habits = self._dice, self.habits
        throws = [dice.random() for _ in range(3)]
        frame = confirmation(trade, self._envelope())
        yield frame
        if throws[0] < habits.duplicates:
            yield frame
        if throws[1] < habits.conflicts:
            yield confirmation(replace(trade, price=trade.price + 1), self._envelope())
        if throws[2] < habits.garbage:
            yield dice.choice(_GARBAGE)

    def trade(self, now: datetime) -> Trade:
        """The next trade, executed now, of a period that can still be traded."""
        dice, habits = self._dice, self.habits
        self._count += 1
        who = dice.choices(self._profiles, self._weights)[0]
        period = self._period(now)
        direction = "sell" if dice.random() < who.sells else "buy"
        return Trade(
            id=f"{self.id_prefix}{self._count:07d}",
            price=self._price(who, direction, period, now),
            quantity=self._quantity(who),
            direction=direction,
            delivery_day=day_of(period.start, habits.area.calendar).isoformat(),
            delivery_hour=label_of(period, habits.area.calendar),
            trader_id="trader_99" if dice.random() < habits.unknown_traders else who.trader_id,
            execution_time=now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z",
        )

    def _envelope(self) -> str:
        return self._dice.choice(ENVELOPES) if self.habits.envelope == "both" else self.habits.envelope

    def _period(self, now: datetime) -> DeliveryPeriod:
        """Mostly one of the next few hours; now and then any up to the end of tomorrow."""
        dice, habits = self._dice, self.habits
        area = habits.area
        minutes = dice.choice(area.shorter) if area.shorter and dice.random() < habits.quarter_hours else 60
        if 60 not in area.products:
            minutes = dice.choice(area.shorter)
        choice = area.tradable(now, minutes)
        if BLOCK in area.products and dice.random() < habits.blocks and (block := self._block(choice)):
            return block
        near = int(dice.expovariate(1 / 3) * 60 / minutes)
        anywhere = int(dice.random() * len(choice))
        return choice[near if near < len(choice) and dice.random() < 0.85 else anywhere]

    def _block(self, hours: Sequence[DeliveryPeriod]) -> DeliveryPeriod | None:
        """Some hours of one day in a row."""
        start = self._dice.randrange(len(hours))
        calendar = self.habits.area.calendar
        day = [p for p in hours[start : start + 8] if day_of(p.start, calendar) == day_of(hours[start].start, calendar)]
        if len(day) < 2 or day[0].duration != HOUR:
            return None
        return DeliveryPeriod(day[0].start, day[self._dice.randrange(1, len(day))].end)

    def _price(self, who: Profile, direction: str, period: DeliveryPeriod, now: datetime) -> Decimal:
        """A good trader sells above the market and buys below it."""
        market = reference(self.habits.seed, period, now, self.habits.area.zone)
        better = Decimal(self._dice.gauss(who.edge, who.spread))
        return (market + better if direction == "sell" else market - better).quantize(CENT)

    def _quantity(self, who: Profile) -> Decimal:
        tenths = int(self._dice.triangular(1, who.largest_mw * 10, who.largest_mw * 2))
        return Decimal(max(tenths, 1)) / 10
