"""What a delivery day's periods say together: how its prices come out, what is out, which is final."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta

import pytest

from prices.observations import Ask, Facts, Outcome, Priority
from prices.polling.days import Day, Mode, PlannedRequest, Rank, days_of, is_final, value_of
from prices.polling.delays import NOTHING_LEARNT, Learnt
from tests.prices.polling.facts import OLD, SLOT, TODAY, period, seen

TOGETHER = Learnt(together={1: 1, 2: 1})


def day_of(now: float, *facts: Facts, learnt: Learnt = NOTHING_LEARNT) -> Day:
    """The first of the days of these facts."""
    return days_of(facts, now, learnt)[0]


def test_a_day_knows_what_is_out_and_which_periods_lack_it() -> None:
    out, waiting, unknown = period(0, SLOT + 4, seen(SLOT + 5, Outcome.NEWER)), period(1), period(2, None)
    day = day_of(SLOT + 6, out, waiting, unknown)
    assert (day.out_at, day.news_at, day.asked_at, day.newest) == (SLOT + 5.1, SLOT + 5.1, SLOT + 5, SLOT + 4)
    assert (day.missing, day.known, day.awaiting, day.mode) == (2, True, False, Mode.COMMON)
    assert [day.due(facts) for facts in (out, waiting, unknown)] == [SLOT + 600, SLOT, -math.inf]
    assert day_of(SLOT + 6, waiting).out_at is None
    assert day_of(SLOT + 6, period(0, SLOT + 4)).out_at == SLOT, "seen before anybody of us asked"


def test_a_day_without_a_price_awaits_nothing() -> None:
    day = day_of(SLOT + 6, period(0, None))
    assert (day.known, day.awaiting, day.newest, day.news_at, day.asked_at) == (False, False, *3 * (-math.inf,))


def test_two_that_miss_after_a_hit_are_published_one_by_one() -> None:
    hit = period(0, SLOT + 3, seen(SLOT + 3, Outcome.NEWER))
    missed = [period(h, OLD, seen(SLOT + 5, Outcome.UNCHANGED)) for h in (1, 2)]
    assert day_of(SLOT + 6, hit, missed[0]).mode is Mode.COMMON
    assert day_of(SLOT + 6, hit, *missed).mode is Mode.INDEPENDENT
    assert day_of(SLOT + 606, hit, *missed).mode is Mode.INDEPENDENT, "still so in the next slot"


def test_updates_away_from_the_rhythm_are_each_periods_own() -> None:
    own = [period(h, SLOT - 350 + 20 * h) for h in range(4)]
    day = day_of(SLOT + 6, *own)
    assert (day.mode, day.awaiting, day.stalled) == (Mode.OWN, False, False)
    assert day.due(own[0]) == SLOT + 250
    assert day_of(SLOT + 1000, *own).stalled
    fit = [period(h, SLOT - 590) for h in range(4, 12)]
    assert day_of(SLOT + 6, *own, *fit).mode is Mode.OWN, "four moments of their own are no late publication"


def test_a_publication_that_is_later_than_two_windows_is_stalled() -> None:
    assert not day_of(SLOT + 59, period(0)).stalled
    assert day_of(SLOT + 61, period(0)).stalled


def test_failures_are_counted_since_the_last_good_answer() -> None:
    asks = (Ask(SLOT + 5, Outcome.PENDING), *(seen(SLOT + n, Outcome.FAILED) for n in (4, 3)))
    assert day_of(SLOT + 6, period(0, OLD, *asks, seen(SLOT + 2, Outcome.UNCHANGED))).failures == 2


def test_ranks_go_by_interest_then_by_the_day() -> None:
    held, viewed = (replace(period(h), priority=p) for h, p in ((5, Priority.POSITION), (6, Priority.VIEWED)))
    closed, later = period(-1), period(20, day=TODAY + timedelta(days=1))
    today, tomorrow = days_of([period(0), held, viewed, closed, later], SLOT + 1, NOTHING_LEARNT)
    ranks = [today.rank(facts) for facts in (held, viewed, period(0), closed)]
    assert ranks == [Rank.POSITION, Rank.VIEWED, Rank.NEAREST_DAY, Rank.CLOSED]
    assert tomorrow.rank(later) is Rank.LATER_DAY
    assert (today.held, today.nearest, tomorrow.nearest, tomorrow.leader) == (1, True, False, today)
    assert min(period(0), held, key=value_of) is held
    order = [PlannedRequest(SLOT, Rank.CLOSED, facts).order for facts in (period(-2), closed)]
    assert order[1] < order[0], "of closed ones the latest closed first"
    assert PlannedRequest(SLOT, Rank.PROBE, closed).order < order[1]


def test_a_market_is_led_by_another_one_only_while_both_come_at_once() -> None:
    first, second = days_of([period(0), period(0, market=2)], SLOT + 1, TOGETHER)
    assert (first.leader, second.leader) == (None, first)
    apart = days_of([period(0), period(0, market=2)], SLOT + 1, NOTHING_LEARNT)
    assert [day.leader for day in apart] == [None, None]


def test_each_market_has_its_own_rhythm() -> None:
    """10:15 is a publication time every 900 s, and none every 600 s."""
    slow = replace(period(0, SLOT + 3, market=2), interval=900)
    ten, fifteen = days_of([period(0), slow], SLOT + 901, NOTHING_LEARNT)
    assert (ten.slot, fifteen.slot) == (SLOT + 600, SLOT + 900)
    assert (ten.due(period(0)), fifteen.due(slow)) == (SLOT, SLOT + 900)


# --- final ---------------------------------------------------------------------------------------------------------
GATE_HOUR = period(-1).gate_closure  # SLOT - 300


def test_a_price_from_after_the_closure_is_final() -> None:
    assert is_final(period(-1, SLOT + 3), SLOT + 4)
    assert not is_final(period(-1, SLOT - 590), SLOT + 4)
    assert not is_final(period(0, SLOT + 3), SLOT + 4)


def test_a_provider_that_stops_at_the_closure_is_asked_a_bounded_number_of_times() -> None:
    asks = tuple(seen(SLOT + 40 * n, Outcome.UNCHANGED) for n in (3, 2, 1))
    assert not is_final(period(-1, SLOT - 590, *asks[1:]), SLOT + 130)
    assert is_final(period(-1, SLOT - 590, *asks), SLOT + 130)
    assert days_of([period(-1, SLOT - 590, *asks)], SLOT + 1500, NOTHING_LEARNT) == []


def test_tries_before_the_covering_publication_must_be_out_prove_nothing() -> None:
    asks = tuple(seen(SLOT + n, Outcome.UNCHANGED) for n in (20, 15, 10, 5))
    assert not is_final(period(-1, SLOT - 590, *asks), SLOT + 21)


@pytest.mark.parametrize(("interval", "final"), [(600, True), (900, False)])
def test_the_covering_publication_is_the_one_of_the_markets_own_rhythm(interval: int, final: bool) -> None:
    """The gate closes at 10:05: at 600 s the price of 10:10 covers it, at 900 s that of 10:15."""
    asks = tuple(seen(SLOT + 630 + n, Outcome.UNCHANGED) for n in (90, 60, 30))
    assert (
        is_final(replace(period(0, SLOT), gate_closure=SLOT + 300, asks=asks, interval=interval), SLOT + 800) is final
    )


def test_what_closed_long_ago_is_chased_no_more_whatever_is_known_of_it() -> None:
    """Only a person's wish brings it here, and that is one request from what is left over."""
    closed = period(-1, None)
    assert not is_final(closed, closed.gate_closure + 36 * 3600)
    assert is_final(closed, closed.gate_closure + 36 * 3600 + 1)
