"""What makes each kind of rule find something, by the product's own ways in."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import count

from django.contrib.auth.models import User

from dashboard.alerts.models import AlertRule
from dashboard.alerts.rules import Kind
from dashboard.assumptions.store import write_down
from dashboard.assumptions.wishes import understood
from market import clock
from market.periods import DeliveryPeriod
from prices import request_ledger
from prices.observations import Answer, Outcome, PeriodKey, Published, Refusal
from prices.store import Arrival, store_answer
from tests.dashboard.people import a_head, a_trader
from tests.trades.frames import confirmation, germany

RULES: dict[Kind, tuple[str | None, int | None]] = {
    Kind.OPEN_MWH: ("5", 600),
    Kind.RESULT_BELOW: ("-50", None),
    Kind.RESULT_SWING: ("50", 10),
    Kind.LOSS_LIMIT: ("100", None),
    Kind.FEED_LATE: (None, None),
    Kind.PRICE_LATE: (None, None),
    Kind.ASSUMPTION_BROKE: (None, None),
    Kind.GAP: (None, None),
    Kind.FRAMES_ASIDE: (None, None),
}


class Causes:
    """A head with a rule of each kind, and a period that is open for some hours."""

    def __init__(self) -> None:
        self.market, self.anna, self.head = germany(), a_trader(), a_head()
        self._day, self._period = self._an_open_period()
        self.label = self.market.label_of(self._period)
        self._moments = count(1)
        for kind, (threshold, minutes) in RULES.items():
            value = None if threshold is None else Decimal(threshold)
            self.rule(self.head, kind, value, minutes)

    @staticmethod
    def rule(user: User, kind: Kind, threshold: Decimal | None, minutes: int | None, **more: bool) -> AlertRule:
        return AlertRule.objects.create(
            user=user, kind=kind.value, threshold=threshold, minutes=minutes, created_at=clock.now(), **more
        )

    def _an_open_period(self) -> tuple[date, DeliveryPeriod]:
        """The first hour that is delivered three hours from now or later."""
        soon = clock.now() + timedelta(hours=3)
        today = self.market.day_of(clock.now())
        days = (today, today + timedelta(days=1))
        return next((day, one) for day in days for one in self.market.day_periods(day) if one.start >= soon)

    def trade(self, name: str, mw: float, price: float) -> bytes:
        """A sale of the period, as the exchange confirms it now."""
        facts = {"direction": "sell", "quantity": mw, "price": price, "trader_id": "trader_1"}
        now = f"{clock.now():%Y-%m-%dT%H:%M:%SZ}"
        day = self._day.isoformat()
        return confirmation(name, delivery_day=day, delivery_hour=self.label, execution_time=now, **facts)

    def price(self, value: str) -> None:
        """The period's next price."""
        moment: datetime = clock.now() - timedelta(minutes=5) + timedelta(seconds=next(self._moments))
        self._answer(Published(Decimal(value), moment))

    def refused(self) -> None:
        """The provider does not answer, three times."""
        for _ in range(3):
            self._answer(Refusal(Outcome.FAILED, "no answer"))

    def _answer(self, answer: Answer) -> None:
        key = PeriodKey(self.market.pk, self._day, self._period.start, self._period.end)
        reserved = request_ledger.reserve(key)
        assert isinstance(reserved, request_ledger.Reservation)
        store_answer(Arrival(reserved.request_id, key, self.label, answer, clock.now()))

    def expects_down(self) -> None:
        """Anna's assumption; five against it break it."""
        words = {"delivery_day": self._day.isoformat(), "delivery_hours": [self.label], "claim": "down"}
        write_down(trader=self.anna.trader_login.trader, author=self.anna, wish=understood(words))
