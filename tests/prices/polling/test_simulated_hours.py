"""Hours of publications played in simulated time: the real chase keeps the provider's limits, and prices fresh."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta

import pytest

from bench.cases import chase_days as simulation
from bench.cases.chase_days import Scene
from bench.cases.prices import CASES
from bench.cases.prices import held_by_the_desk as held
from prices.observations import PeriodKey, Priority
from prices.polling import policy


def case(name: str, seed: int) -> Scene:
    """The scene of the benchmark's table that has this name."""
    return next(case.scene(seed) for case in CASES if case.name == name)


def assert_within_limits(result: simulation.Staleness) -> None:
    assert result.busiest_minute <= 50
    assert result.busiest_hour <= 1000


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_common_delay_with_a_day_left(seed: int) -> None:
    result, _ = simulation.play(Scene(lambda m: simulation.common(seed + m), hours=2, seed=seed))
    assert_within_limits(result)
    assert result.mean <= 1.1
    assert result.quantile(0.95) <= 2
    assert result.quantile(0.99) <= 4


def test_fewer_periods_left_are_fresher_still() -> None:
    result, _ = simulation.play(Scene(simulation.common, first_hour=20, hours=2))
    assert_within_limits(result)
    assert result.mean <= 0.8


def test_with_tomorrow_priced_today_stays_sharp() -> None:
    """36 periods and their probes fit the minute: docs/reference-prices.md has the bound."""
    result, world = simulation.play(case("today 12 h and tomorrow 24 h", 5))
    assert_within_limits(result)
    today = simulation.staleness_of_day(world, simulation.DAY)
    assert sum(today) / len(today) <= 1.3
    assert result.mean <= 1.5
    assert result.quantile(0.99) <= 4


@pytest.mark.parametrize("seed", [1, 2])
def test_of_two_markets_apart_those_with_a_position_do_not_wait(seed: int) -> None:
    result, world = simulation.play(replace(case("two markets apart, 24 h left", seed), priority=held))
    assert_within_limits(result)
    fresh = [v for key, values in world.staleness().items() if held(key) is Priority.POSITION for v in values]
    assert sum(fresh) / len(fresh) <= 2


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_markets_keep_each_its_own_rhythm(seed: int) -> None:
    """One publishes every 10 minutes and one every 15; both are fresh, and neither is asked in the other's rhythm."""
    scene = Scene(
        lambda m: simulation.common(seed + 100 * m),
        hours=2,
        markets=2,
        first_hour=12,
        days_before=1,
        seed=seed,
        intervals=lambda market: (600.0, 900.0)[market],
    )
    result, world = simulation.play(scene)
    assert_within_limits(result)
    for market in (0, 1):
        values = [v for key, stale in world.staleness().items() if key.market_id == market for v in stale]
        assert sum(values) / len(values) <= 1.2
    begun = simulation.MIDNIGHT + 12.5 * 3600
    for market, interval in enumerate((600, 900)):
        late = [at % interval for at, key in world.asked_for if key.market_id == market and at > begun]
        assert sum(seconds > 60 for seconds in late) <= 0.1 * len(late)


@pytest.mark.parametrize("seed", [1, 2])
def test_independent_delays_are_noticed(seed: int) -> None:
    result, _ = simulation.play(Scene(lambda m: simulation.independent(seed + m), hours=2, seed=seed))
    assert_within_limits(result)
    assert result.mean <= 6


def test_renewal_after_the_own_last_update_is_noticed() -> None:
    result, _ = simulation.play(Scene(simulation.own_renewal, hours=2))
    assert_within_limits(result)
    assert result.mean <= 1


def test_late_and_missing_publications_cost_no_storm() -> None:
    delays = simulation.common(8, tail=0.1, never=0.1)
    result, _ = simulation.play(Scene(lambda _m: delays, hours=6))
    assert_within_limits(result)
    assert result.busiest_hour <= 500
    assert result.mean <= 3


def test_two_markets_that_come_together_share_their_probes() -> None:
    delays = simulation.common(3)
    scene = Scene(lambda _m: delays, first_hour=12, hours=2, markets=2, days_before=1)
    result, _ = simulation.play(scene)
    assert_within_limits(result)
    assert result.mean <= 1.2
    assert result.quantile(0.95) <= 2


def test_what_somebody_cares_about_is_fresh_where_not_everything_fits() -> None:
    delays = simulation.common(3)
    cared = {8, 9, 18, 19}

    def priority(key: PeriodKey) -> Priority:
        return Priority.POSITION if key.start.hour in cared else Priority.NONE

    scene = Scene(lambda _m: delays, hours=1.5, markets=4, days_before=1, priority=priority)
    result, world = simulation.play(scene)
    assert_within_limits(result)
    fresh = [v for key, values in world.staleness().items() if key.start.hour in cared for v in values]
    assert sum(fresh) / len(fresh) <= 2


# --- quarter hours --------------------------------------------------------------------------------------------------
def a_real_days_shape(seed: int, **more: bool) -> Scene:
    """24 hours open, 14 of them with positions, and 27 quarter hours with positions, from a seed."""
    chance = random.Random(seed)
    hours = set(chance.sample(range(6, 24), 14))
    quarters = sorted(chance.sample(range(24, 96), 27))

    def priority(key: PeriodKey) -> Priority:
        return Priority.POSITION if key.start.hour in hours else Priority.NONE

    return Scene(
        lambda m: simulation.common(seed + m), hours=4, seed=seed, priority=priority, quarters=quarters, **more
    )


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_real_day_with_quarter_hours_is_known_within_a_minute(seed: int) -> None:
    """All 41 with positions within 60 s of each publication, the ten nearest their gates within 3 s on average."""
    result, world = simulation.play(a_real_days_shape(seed))
    assert_within_limits(result)
    held = [facts for facts in world.facts.values() if facts.priority is Priority.POSITION]
    stale = world.staleness()
    assert len(held) == 41
    assert max(value for facts in held for value in stale[facts.key]) <= 60
    of_publication: dict[float, list[tuple[float, float]]] = {}
    for facts in held:
        for moment in world.publications[facts.key]:
            known = [at for update, at in world.known_at[facts.key] if update >= moment]
            if simulation.MIDNIGHT + 600 <= moment < simulation.MIDNIGHT + 4 * 3600 - 600:
                of_publication.setdefault(moment, []).append((facts.gate_closure, min(known) - moment))
    nearest = [late for periods in of_publication.values() for _, late in sorted(periods)[:10]]
    assert len(of_publication) >= 20
    assert sum(nearest) / len(nearest) <= 3


def test_a_provider_without_quarter_hours_costs_four_requests_an_hour_to_find_out() -> None:
    result, world = simulation.play(a_real_days_shape(5, hours_only=True))
    assert_within_limits(result)
    asked = [at for at, key in world.asked_for if key.end - key.start < timedelta(hours=1)]
    assert 8 <= len(asked) <= 16
    assert simulation.busiest(asked, 3600.0) <= 5  # in any 60 minutes: 4, and one at each end
    assert result.mean <= 1.5, "hours are as fresh as ever"


@pytest.mark.parametrize("markets", [2, 4])
def test_markets_share_one_budget(markets: int) -> None:
    result, _ = simulation.play(Scene(lambda m: simulation.common(3 + m), hours=1.5, markets=markets))
    assert_within_limits(result)
    assert result.mean <= (6 if markets == 2 else 60)  # 96 periods don't fit a minute of 50


def test_an_outage_of_an_hour_ends_in_seconds_and_without_a_storm() -> None:
    begin, end = simulation.MIDNIGHT + 1800, simulation.MIDNIGHT + 5400
    scene = Scene(simulation.common, hours=2, failing=lambda moment: begin < moment < end)
    result, world = simulation.play(scene)
    assert_within_limits(result)
    first_news = min(at for known in world.known_at.values() for _, at in known if at > end)
    assert first_news - end <= policy.LONGEST_DOWN_PAUSE + 1
    all_news = max(min(at for _, at in world.known_at[key] if at > end) for key in world.facts if world.known_at[key])
    assert all_news - end <= 120


def test_everything_that_can_be_asked_once_is_asked_about_once_per_publication() -> None:
    """No waste: 24 periods and a probe or two dozen a slot, not more."""
    result, _ = simulation.play(Scene(lambda m: simulation.common(4 + m), hours=3))
    assert result.requests <= 3 * 6 * 51
