"""The table of like cases: built from the prices on record, and nothing that came later is used."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import StringIO

import pytest
import time_machine
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dashboard.figures.firmness.rules import DAYS, Kind, part_of_day
from dashboard.figures.firmness.store import build_day, days_to_build, like_cases, window
from dashboard.models import LikeMoves
from dashboard.tasks import build_like_cases
from market.models import Market
from tests.dashboard.boards import store_price
from tests.trades.frames import germany

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

DAY = date(2023, 2, 6)
GATE = datetime(2023, 2, 6, 10, 55, tzinfo=UTC)  # of 12-13
D = Decimal
NOON = part_of_day(12)
NOW = datetime(2023, 2, 7, 8, tzinfo=UTC)


@pytest.fixture
def market() -> Iterator[Market]:
    """A day with one period: 20 two hours before the gate, 23 twenty minutes before, 24.5 in the end."""
    found = germany()
    for minutes, value in ((-120, "20"), (-20, "23"), (5, "24.5")):
        store_price("12-13", value, day=DAY, at=GATE + timedelta(minutes=minutes))
    with time_machine.travel(NOW, tick=False):
        yield found


def moves() -> dict[int, list[Decimal]]:
    return {row.time_left: row.moves for row in LikeMoves.objects.filter(delivery_day=DAY, minutes=60, part=NOON)}


def test_a_day_is_built_from_its_prices(market: Market) -> None:
    assert build_day(market, DAY) == 6
    assert moves() == {left: [D("1.5" if left < 4 else "4.5")] for left in range(6)}
    before = moves()
    build_day(market, DAY)
    assert (moves(), LikeMoves.objects.count()) == (before, 6)  # made anew, not added


def test_what_arrived_after_the_cut_off_changes_nothing(market: Market) -> None:
    build_day(market, DAY)
    before = moves()
    store_price("12-13", "99", day=DAY, at=market.day_bounds(DAY)[1] + timedelta(hours=6, seconds=1))
    build_day(market, DAY)
    assert moves() == before
    store_price("12-13", "98", day=DAY, at=market.day_bounds(DAY)[1] + timedelta(hours=5))
    build_day(market, DAY)
    assert moves()[0] == [D("75")]


def test_a_moment_goes_by_days_that_were_over_eight_hours_before(market: Market) -> None:
    build_day(market, DAY)
    end = market.day_bounds(DAY)[1]
    kind = Kind(60, 1, NOON)
    for hours, last in ((7, DAY - timedelta(days=1)), (8, DAY)):
        moment = end + timedelta(hours=hours)
        assert window(market, moment) == (last - timedelta(days=DAYS - 1), last)
        assert like_cases(market, moment)._of(kind) == ((D("1.5"),) if hours == 8 else ())
    assert like_cases(market, end + timedelta(days=DAYS, hours=9))._of(kind) == ()


def test_it_is_read_once_until_it_is_another(market: Market) -> None:
    build_day(market, DAY)
    first = like_cases(market, NOW)
    with CaptureQueriesContext(connection) as again:
        assert like_cases(market, NOW) is first
    assert len(again) == 1
    build_day(market, DAY)
    assert like_cases(market, NOW) is not first


def test_too_few_of_a_part_are_those_of_any_part(market: Market) -> None:
    for part in range(5):
        LikeMoves.objects.create(
            market=market,
            delivery_day=DAY,
            minutes=60,
            time_left=1,
            part=part,
            moves=[D(part)] * (31 if not part else 7),
        )
    cases = like_cases(market, NOW)
    assert cases.moves(Kind(60, 1, 0)) == (D(0),) * 31
    assert len(cases.moves(Kind(60, 1, 3))) == 31 + 4 * 7
    assert cases.moves(Kind(60, 2, 3)) == ()


def test_the_nightly_task_builds_what_is_settled_and_missing(market: Market) -> None:
    assert DAY in days_to_build(market, NOW)
    assert DAY not in days_to_build(market, market.day_bounds(DAY)[1] + timedelta(hours=5))
    build_like_cases()
    assert moves()
    assert DAY not in days_to_build(market, NOW)
    assert DAY in days_to_build(market, NOW, anew=True)


def test_the_command_builds_all_of_it_anew(market: Market) -> None:
    build_day(market, DAY)
    LikeMoves.objects.update(moves=[D(7)])
    said = StringIO()
    call_command("rebuild_firmness", "--missing", stdout=said)
    assert moves()[0] == [D(7)]
    call_command("rebuild_firmness", stdout=said)
    assert moves()[0] == [D("1.5")]
    assert said.getvalue().splitlines()[-1] == f"DE: 6 cases of {DAYS} days"
