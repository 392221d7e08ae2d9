"""The policy: its rules one by one, and whole hours of it against provider models in simulated time."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prices import observations
from prices.models import ProviderRequest
from prices.observations import Ask, Budget, Facts, Outcome, Plan, Priority
from prices.polling import policy
from prices.polling.days import is_final
from prices.polling.delays import Learnt, learn
from prices.polling.final_checks import next_check
from tests.prices.polling.facts import OLD, SLOT, TODAY, period, seen

FULL = Budget.untouched(50, 1000)


def plan(now: float, *facts: Facts, budget: Budget = FULL) -> Plan:
    return policy.plan(now=now, facts=facts, budget=budget)


def test_the_outcomes_are_those_of_the_ledger() -> None:
    assert {o.value for o in Outcome} == set(ProviderRequest.Outcome.values)


# --- one rule at a time --------------------------------------------------------------------------------------------
def test_what_was_never_asked_is_asked_at_once_nearest_gate_first() -> None:
    found = plan(SLOT + 200, period(3, None), period(1, None), period(2, None))
    assert [k.start.hour for k in found.asks] == [12, 13, 14]


def test_a_period_without_a_price_is_missing_too_where_each_is_published_by_itself() -> None:
    hit = [period(h, SLOT + 3, seen(SLOT + 3, Outcome.NEWER)) for h in range(2)]
    missed = [period(h, OLD, seen(SLOT + 5, Outcome.UNCHANGED)) for h in range(2, 5)]
    found = plan(SLOT + 8, *hit, *missed, period(6, None))
    assert 17 in [k.start.hour for k in found.asks], "what was never asked goes out at once"


def test_a_period_without_a_price_is_asked_again_at_once_when_the_publication_is_out() -> None:
    nothing = period(0, None, seen(SLOT - 300, Outcome.UNCHANGED))
    known = [period(h, SLOT + 3, seen(SLOT + 4, Outcome.NEWER)) for h in range(1, 4)]
    assert [k.start.hour for k in plan(SLOT + 8, nothing, *known).asks] == [11]
    asked_since = period(0, None, seen(SLOT + 5, Outcome.UNCHANGED))
    assert plan(SLOT + 8, asked_since, *known).asks == ()


def test_nothing_is_asked_between_publications() -> None:
    known = [period(h, SLOT + 4, seen(SLOT + 5, Outcome.NEWER)) for h in range(5)]
    assert plan(SLOT + 100, *known) == Plan((), SLOT + 600 + policy.SHORTEST_PAUSE)


def test_one_period_is_probed_and_it_is_the_one_whose_gate_closes_first() -> None:
    found = plan(SLOT + 1, period(5), period(0), period(3))
    assert [k.start.hour for k in found.asks] == [11]


def test_the_probe_moves_on_from_a_period_that_fails() -> None:
    bad = period(0, OLD, seen(SLOT + 0.5, Outcome.BAD_ANSWER))
    assert [k.start.hour for k in plan(SLOT + 3, bad, period(1), period(2)).asks] == [12]


def test_probes_are_evenly_spread_and_grow_rarer_when_the_publication_is_late() -> None:
    pauses = []
    for lateness in (0.5, 10, 40, 100, 400):
        probed = period(0, OLD, seen(SLOT + lateness, Outcome.UNCHANGED))
        others = [period(h) for h in range(1, 14)]
        left = Budget(50, 50 - min(33, int(1.1 * lateness)), 1000, 900)
        pauses.append(plan(SLOT + lateness + 0.01, probed, *others, budget=left).look_again - SLOT - lateness)
    assert pauses == sorted(pauses)
    assert pauses[0] < 1.2
    assert pauses[-1] == pytest.approx(400 / policy.LATE_SHARE)


def test_the_publication_seen_once_all_others_follow_in_order_of_value() -> None:
    new = period(1, SLOT + 4, seen(SLOT + 5, Outcome.NEWER))
    found = plan(SLOT + 5.2, new, period(3), period(0), period(2))
    assert [k.start.hour for k in found.asks] == [11, 13, 14]


def test_today_goes_before_tomorrow_and_tomorrow_before_nothing() -> None:
    tomorrow = TODAY + timedelta(days=1)
    new = period(0, SLOT + 4, seen(SLOT + 5, Outcome.NEWER))
    later_new = period(20, SLOT + 4, seen(SLOT + 5, Outcome.NEWER), day=tomorrow)
    found = plan(SLOT + 5.2, later_new, period(21, day=tomorrow), new, period(9))
    assert [k.start.hour for k in found.asks] == [20, 8]


def test_a_later_day_without_prices_is_felt_for_a_few_times_a_slot_another_period_each_time() -> None:
    tomorrow = TODAY + timedelta(days=1)
    today = period(0, SLOT + 4, seen(SLOT + 5, Outcome.NEWER))
    facts = {h: period(h, None, day=tomorrow) for h in range(15, 20)}
    facts[15] = period(15, None, seen(SLOT - 300, Outcome.UNDEFINED), day=tomorrow)
    asked = []
    now = SLOT + 5.0
    while now < SLOT + 600:
        for key in plan(now, today, *facts.values()).asks:
            hour = key.start.hour - 11 if key.start.hour >= 11 else key.start.hour + 13
            asked.append(hour)
            facts[hour] = period(hour, None, seen(now, Outcome.UNDEFINED), day=tomorrow)
        now += 1
    assert len(asked) == len(set(asked)) == 3


def test_after_a_start_tomorrows_traded_periods_go_before_all_that_nobody_traded() -> None:
    """Whether tomorrow has prices nobody knows yet: each is asked once, closed and other periods come behind them."""
    tomorrow = TODAY + timedelta(days=1)
    others = [period(h, None) for h in range(-9, 10)] + [period(h, None, day=tomorrow) for h in range(14, 24)]
    traded = [replace(period(h, None, day=tomorrow), priority=Priority.POSITION) for h in range(24, 34)]
    asks = plan(SLOT + 200, *others, *traded).asks
    assert set(asks[:10]) == {facts.key for facts in traded}
    answered = [replace(facts, asks=(seen(SLOT + 201, Outcome.UNDEFINED),)) for facts in traded]
    again = plan(SLOT + 210, *others, *answered).asks
    assert not {facts.key for facts in traded} & set(again), "what has no price yet is felt for, as before"


def test_a_period_under_way_is_not_asked_again_until_its_process_must_have_died() -> None:
    under_way = period(0, None, Ask(SLOT + 100, Outcome.PENDING))
    assert plan(SLOT + 103, under_way).asks == ()
    assert plan(SLOT + 100 + observations.REQUEST_LIFE + 2, under_way).asks == (under_way.key,)


def test_periods_that_miss_after_a_hit_show_that_each_has_a_delay_of_its_own() -> None:
    new = period(0, SLOT + 4, seen(SLOT + 5, Outcome.NEWER))
    missed = [period(h, OLD, seen(SLOT + 6, Outcome.UNCHANGED)) for h in (1, 2, 3)]
    found = plan(SLOT + 7, new, *missed)
    assert found.asks == ()
    assert SLOT + 7 < found.look_again < SLOT + 16


def test_a_period_renewed_after_its_own_last_update_is_asked_right_then() -> None:
    own = [period(h, SLOT + 200 + 50 * h) for h in range(4)]
    found = plan(SLOT + 700, *own)
    assert found == Plan((), SLOT + 800 + policy.OWN_RENEWAL_GRACE)
    assert plan(SLOT + 800.4, *own).asks == (own[0].key,)


def test_after_an_outage_of_such_a_provider_all_follow_the_first_sign_of_life() -> None:
    stale = [period(h, SLOT - 5000 + 50 * h, seen(SLOT - 100, Outcome.FAILED)) for h in range(1, 4)]
    back = period(0, SLOT + 200, seen(SLOT + 201, Outcome.NEWER))
    assert len(plan(SLOT + 202, back, *stale).asks) == 3


def test_a_closed_period_is_asked_once_when_its_last_price_must_be_out() -> None:
    """Nobody trades on it any more. Beside it a publication is awaited, one period at a time."""
    hit = [period(h, SLOT + 3, seen(SLOT + 3, Outcome.NEWER)) for h in range(2)]
    missed = [period(h, OLD, seen(SLOT + 5, Outcome.UNCHANGED)) for h in range(2, 5)]
    closed = period(-1, OLD)
    assert closed.key not in plan(SLOT + 8, *hit, *missed, closed).asks
    assert closed.key in plan(SLOT + 30, *hit, *missed, closed).asks


def test_a_late_period_is_asked_again_soon_when_others_came_since() -> None:
    came = [period(h, SLOT + 40, seen(SLOT + 40, Outcome.NEWER)) for h in range(2)]
    missed = [period(h, OLD, seen(SLOT + 41, Outcome.UNCHANGED), seen(SLOT + 39, Outcome.UNCHANGED)) for h in (2, 3)]
    waiting = period(4, OLD, seen(SLOT + 35, Outcome.UNCHANGED))
    assert waiting.key not in plan(SLOT + 44, *came, *missed, waiting).asks
    assert waiting.key in plan(SLOT + 45.1, *came, *missed, waiting).asks


# --- value, and what was learnt ---------------------------------------------------------------------------------------
def test_a_period_with_a_position_is_probed_and_comes_first() -> None:
    near, held = period(0), replace(period(5), priority=Priority.POSITION)
    assert plan(SLOT + 1, near, held, period(3)).asks == (held.key,)
    never = [period(1, None), replace(period(9, None), priority=Priority.VIEWED)]
    tomorrow = replace(period(20, None, day=TODAY + timedelta(days=1)), priority=Priority.POSITION)
    seen_too = replace(period(21, day=TODAY + timedelta(days=1)))
    found = plan(SLOT + 200, period(0, SLOT + 5, seen(SLOT + 6, Outcome.NEWER)), *never, tomorrow, seen_too)
    assert [k.start.hour for k in found.asks][:3] == [7, 20, 12]


def learnt_together() -> Learnt:
    return Learnt(together={1: 1, 2: 1})


def test_markets_that_come_together_are_probed_as_one() -> None:
    both = [period(h, market=m) for m in (1, 2) for h in range(3)]
    found = policy.plan(now=SLOT + 2, facts=both, budget=FULL, learnt=learnt_together())
    assert [(k.start.hour, k.market_id) for k in found.asks] == [(11, 1)]
    assert len(policy.plan(now=SLOT + 2, facts=both, budget=FULL).asks) == 2


def test_the_other_market_is_probed_once_the_first_one_is_out() -> None:
    first = [period(0, SLOT + 4, seen(SLOT + 5, Outcome.NEWER)), period(1), period(2)]
    second = [period(h, market=2) for h in range(3)]
    found = policy.plan(now=SLOT + 5.2, facts=[*first, *second], budget=FULL, learnt=learnt_together())
    assert [(k.start.hour, k.market_id) for k in found.asks] == [(11, 2), (12, 1), (13, 1)]


def test_the_other_market_that_is_not_out_yet_is_probed_again_after_a_pause() -> None:
    out = [period(h, SLOT + 5, seen(SLOT + 5, Outcome.NEWER)) for h in range(3)]
    late = [period(0, OLD, seen(SLOT + 6, Outcome.UNCHANGED), market=2), period(1, OLD, market=2)]
    found = policy.plan(now=SLOT + 6.1, facts=[*out, *late], budget=FULL, learnt=learnt_together())
    assert found.asks == ()
    assert SLOT + 6.1 < found.look_again < SLOT + 20


def test_a_market_whose_provider_is_down_leads_nobody() -> None:
    failing = [period(h, OLD, *(seen(SLOT - n, Outcome.FAILED) for n in (1, 2))) for h in range(3)]
    second = [period(h, market=2) for h in range(3)]
    found = policy.plan(now=SLOT + 2, facts=[*failing, *second], budget=FULL, learnt=learnt_together())
    assert (11, 2) in [(k.start.hour, k.market_id) for k in found.asks]


def test_probes_go_where_publications_are_likely() -> None:
    sharp = Learnt(delays={1: learn([20.0 + n % 3 for n in range(288)], 30.0)})
    waiting = [period(h) for h in range(24)]
    early = policy.plan(now=SLOT, facts=waiting, budget=FULL, learnt=sharp).look_again
    assert early > policy.plan(now=SLOT, facts=waiting, budget=FULL).look_again


def test_probes_keep_their_share_where_not_everything_fits() -> None:
    crowd = [period(h, market=m) for m in (1, 2) for h in range(24)]
    asked = SLOT + 2.0
    probed = replace(crowd[0], asks=(seen(asked, Outcome.UNCHANGED),))
    left = Budget(50, 48, 1000, 900, spent_in_slot=2)
    found = policy.plan(now=asked + 0.01, facts=[probed, *crowd[1:]], budget=left, learnt=learnt_together())
    assert 2.5 < found.look_again - asked < 5, "nobody has a position: each probe costs somebody else a minute"
    held = replace(probed, priority=Priority.POSITION)
    found = policy.plan(now=asked + 0.01, facts=[held, *crowd[1:]], budget=left, learnt=learnt_together())
    assert found.look_again - asked < 2.5


def test_markets_that_come_apart_are_probed_each_where_somebody_has_a_position() -> None:
    """The first one's periods without a position leave what the other one's probes and positions need."""
    out = [period(h, SLOT + 5, seen(SLOT + 5, Outcome.NEWER)) if h == 0 else period(h) for h in range(24)]
    awaited = [replace(period(h, market=2), priority=Priority(2 * (h > 7))) for h in range(24)]
    left = Budget(50, 30, 1000, 900, spent_in_slot=20)
    asks = plan(SLOT + 5.1, *out, *awaited, budget=left).asks
    probes = policy.GOOD_PROBES
    assert 30 - 8 - probes <= sum(key.market_id == 1 for key in asks) <= 30 - 8 - probes / 2


# --- the budget ----------------------------------------------------------------------------------------------------
def test_a_pause_that_the_provider_wants_is_kept() -> None:
    paused = Budget(50, 50, 1000, 1000, paused_until=SLOT + 300)
    assert plan(SLOT + 200, period(1, None), budget=paused) == Plan((), SLOT + 300)


def test_with_the_minute_spent_it_waits_for_the_next_free_request() -> None:
    spent = Budget(50, 0, 1000, 900, free_at=SLOT + 230)
    assert plan(SLOT + 200, period(1, None), budget=spent) == Plan((), SLOT + 230)


def test_the_last_quarter_of_the_hour_is_dealt_out_by_the_slot() -> None:
    assert Budget(50, 50, 1000, 600).allowance(600) == 50
    assert Budget(50, 50, 1000, 240).allowance(600) == 40
    assert Budget(50, 50, 1000, 200, spent_in_slot=40).allowance(600) == 0
    never_asked = [period(h, None) for h in range(10)]
    found = plan(SLOT + 200, *never_asked, budget=Budget(50, 50, 1000, 200, spent_in_slot=40))
    assert found == Plan((), SLOT + 600)


def test_closed_and_later_periods_leave_room_for_a_publication_that_is_near() -> None:
    closed = [period(-h, None) for h in range(3, 9)]
    awaited = [period(h, SLOT - 10) for h in range(12)]
    tight = Budget(50, 16, 1000, 900)
    assert len(plan(SLOT + 560, *awaited, *closed, budget=tight).asks) == 1
    assert len(plan(SLOT + 200, *[period(h, SLOT + 2) for h in range(12)], *closed, budget=tight).asks) == 6


def test_what_is_kept_for_a_publication_is_looked_at_again_soon() -> None:
    closed = [period(-h, None) for h in range(3, 9)]
    awaited = [period(h, SLOT - 10) for h in range(12)]
    assert plan(SLOT + 560, *awaited, *closed, budget=Budget(50, 14, 1000, 900)) == Plan((), SLOT + 570)


def test_markets_take_turns_by_value() -> None:
    both = [period(h, None, market=m) for m in (1, 2) for h in range(3)]
    found = plan(SLOT + 200, *both, budget=Budget(50, 4, 1000, 900))
    assert [(k.start.hour, k.market_id) for k in found.asks] == [(11, 1), (11, 2), (12, 1), (12, 2)]


moments = st.floats(SLOT - 4000, SLOT + 4000, allow_nan=False)
asks = st.lists(st.builds(seen, moments, st.sampled_from(Outcome)), max_size=8).map(
    lambda found: tuple(sorted(found, key=lambda a: -a.sent_at))
)


@st.composite
def situations(draw: st.DrawFn) -> list[Facts]:
    """Any periods with any past."""
    days = {h: TODAY + timedelta(days=h // 12) for h in range(-6, 20)}
    hours = draw(st.lists(st.sampled_from(sorted(days)), max_size=26, unique=True))
    return [
        period(h, draw(st.none() | moments), *draw(asks), market=draw(st.integers(1, 2)), day=days[h]) for h in hours
    ]


budgets = st.builds(
    Budget,
    st.just(50),
    st.integers(0, 50),
    st.just(1000),
    st.integers(0, 1000),
    st.integers(0, 100),
    free_at=moments,
    paused_until=st.just(-math.inf) | moments,
)


@given(situations(), budgets, moments, st.sampled_from([5.0, 60.0, 600.0, 3600.0]))
def test_whatever_the_situation_the_plan_is_sound(
    facts: list[Facts], budget: Budget, now: float, interval: float
) -> None:
    facts = [replace(f, interval=interval) for f in facts]
    found = policy.plan(now=now, facts=facts, budget=budget)
    by_key = {f.key: f for f in facts}
    assert len(found.asks) <= budget.allowance(interval) <= min(budget.minute_free, budget.hour_free)
    assert len(set(found.asks)) == len(found.asks)
    again = next_check([f for f in facts if is_final(f, now)], now, budget)
    assert not any(by_key[k].in_flight(now) or (is_final(by_key[k], now) and k != again) for k in found.asks)
    assert found.asks == () or now >= budget.paused_until
    assert found.asks or found.look_again > now
