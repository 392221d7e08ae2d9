"""The loop of a chase alone, in an environment that a test plays."""

from __future__ import annotations

from market.models import Market
from prices import observations
from prices.observations import Budget, Facts, Outcome, PeriodKey
from prices.polling import loop
from prices.polling.loop import Arrived
from tests.prices.conftest import key_of


class Nowhere:
    """An outside without room for anything."""

    def __init__(self) -> None:
        self.clock = 0.0

    def now(self) -> float:
        return self.clock

    def is_over(self) -> bool:
        return False

    def budget(self) -> Budget:
        return Budget.untouched(50, 1000)

    def ask(self, key: PeriodKey) -> float | None:
        return None

    def arrivals(self, until: float) -> list[Arrived]:
        assert until > self.clock
        self.clock = until
        return []


def test_a_chase_that_finds_no_room_ends_in_time(market: Market) -> None:
    key = key_of(market, 12)
    environment = Nowhere()
    stats = loop.poll(environment, {key: Facts(key, key.start.timestamp())})
    assert stats.asked == 0
    assert environment.clock <= loop.LONGEST_CHASE_SECONDS + 1


class Silent(Nowhere):
    """An outside that takes every request and never says what became of it."""

    def ask(self, key: PeriodKey) -> float | None:
        return self.clock


def test_requests_without_any_word_end_no_chase_and_block_none(market: Market) -> None:
    """Their threads must have died. Such a chase once held its lock, polled the budget and asked for nothing."""
    keys = [key_of(market, hour) for hour in range(12, 22)]
    environment = Silent()
    stats = loop.poll(environment, {key: Facts(key, key.start.timestamp()) for key in keys})
    assert stats.lost == stats.asked > loop.AT_ONCE
    assert environment.clock <= loop.LONGEST_CHASE_SECONDS + observations.REQUEST_LIFE + 1


class Moody(Nowhere):
    """An outside that finds room only now and then, and answers at once."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0
        self.sent: list[PeriodKey] = []

    def ask(self, key: PeriodKey) -> float | None:
        self.calls += 1
        if self.calls % 7:
            return None
        self.sent.append(key)
        return self.clock

    def arrivals(self, until: float) -> list[Arrived]:
        if not self.sent:
            return super().arrivals(until)
        self.clock += 0.1
        return [Arrived(self.sent.pop(), Outcome.NEWER, self.clock)]


def test_a_ledger_that_says_no_again_and_again_only_slows_the_chase_down(market: Market) -> None:
    keys = [key_of(market, hour) for hour in range(12, 22)]
    stats = loop.poll(Moody(), {key: Facts(key, key.start.timestamp()) for key in keys})
    assert (stats.asked, stats.lost, stats.outcomes) == (10, 0, {"newer": 10})
