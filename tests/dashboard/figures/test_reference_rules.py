"""Quarter hours judged: by their own price, by their hour's where a dated rule says so, or not at all."""

from __future__ import annotations

import random
from datetime import date, timedelta
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from dashboard.figures.board import load_board
from dashboard.figures.desk import load_desk
from dashboard.figures.history import DayRange, load_history
from market.labels import label_of
from market.models import Market, ReferenceRule
from market.periods import day_periods
from tests.dashboard.boards import MORNING, SKETCH_DAY, store_price, store_trade
from tests.dashboard.people import a_head, a_superuser, a_trader
from tests.trades.frames import germany
from trades.models import Trader

SEED = 1603
BEFORE, AFTER = SKETCH_DAY - timedelta(days=1), SKETCH_DAY + timedelta(days=1)
STANDS_IN = "10.00 MWh of shorter periods go by their hour's price."
RANGE = {"from": str(BEFORE), "to": str(AFTER)}

pytestmark = [
    pytest.mark.integration,
    pytest.mark.django_db,
    pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume"),
]


@pytest.fixture
def head(client: Client) -> User:
    germany()
    a_trader()
    user = a_head()
    client.force_login(user)
    return user


def rule(source: str, *, minutes: int = 15, valid_from: date = SKETCH_DAY) -> None:
    ReferenceRule.objects.create(market=germany(), minutes=minutes, source=source, valid_from=valid_from)


def a_quarter(day: date = SKETCH_DAY) -> None:
    """A quarter hour sold at 30 whose hour has the price 25, and the hour bought at 20."""
    store_trade("12:15-12:30", "sell", "40", "30", day=day)
    store_trade("12-13", "buy", "10", "20", day=day)
    store_price("12-13", "25", day=day)


def shown(client: Client, label: str, day: date = SKETCH_DAY) -> dict[str, Any]:
    periods = client.get(f"/api/v1/boards/trader_1/{day}").json()["periods"]
    (found,) = (period for period in periods if period["delivery_hour"] == label)
    return dict(found)


def test_by_its_own_price(client: Client, head: User) -> None:
    a_quarter()
    assert shown(client, "12:15-12:30")["performance"] is None, "an hour's price is no stand-in by default"
    store_price("12:15-12:30", "41")
    quarter = shown(client, "12:15-12:30")
    assert (quarter["reference_source"], quarter["performance"], quarter["minutes"]) == ("own", "-11", 15)


def test_an_hour_s_price_that_stands_in_is_marked_wherever_it_appears(client: Client, head: User) -> None:
    a_quarter()
    rule("hour")
    quarter = shown(client, "12:15-12:30")
    assert (quarter["reference_source"], quarter["reference_price"], quarter["performance"]) == ("hour", "25", "5")
    page = client.get(f"/boards/trader_1/{SKETCH_DAY}/").content.decode()
    (row,) = (part for part in page.split("<tbody") if 'data-delivery-hour="12:15-12:30"' in part)
    assert "data-stand-in" in row and "the hour's price stands in" in row
    assert page.count("data-stand-in") == 1
    assert STANDS_IN in unescape(page)
    assert STANDS_IN in unescape(client.get("/history/", RANGE).content.decode())
    rows = b"".join(client.get(f"/boards/trader_1/{SKETCH_DAY}/board.csv")).decode()  # type: ignore[arg-type]
    (line,) = (line for line in rows.splitlines() if "12:15-12:30" in line)
    assert ",25,5,50,hour," in line
    opened = client.get(f"/boards/trader_1/{SKETCH_DAY}/12:15-12:30/?show=prices").content.decode()
    assert "25.00" in opened


def test_none_leaves_it_undefined_and_says_so(client: Client, head: User) -> None:
    a_quarter()
    store_price("12:15-12:30", "41")
    rule("none")
    assert shown(client, "12:15-12:30")["performance"] is None
    assert "has no reference" in client.get(f"/boards/trader_1/{SKETCH_DAY}/").content.decode()
    assert shown(client, "12-13")["performance"] == "5"


def test_a_rule_begins_with_its_day(client: Client, head: User) -> None:
    for day in (BEFORE, SKETCH_DAY, AFTER):
        a_quarter(day)
    rule("hour", valid_from=SKETCH_DAY)
    rule("none", valid_from=AFTER)
    assert [shown(client, "12:15-12:30", day)["performance"] for day in (BEFORE, SKETCH_DAY, AFTER)] == [
        None,
        "5",
        None,
    ]
    days = dict(load_history(market=germany(), trader=None, days=DayRange(BEFORE, AFTER)).days)
    assert [days[day].figures.performance_eur for day in (BEFORE, SKETCH_DAY, AFTER)] == [50, 100, 50]
    assert [days[day].stand_in for day in (BEFORE, SKETCH_DAY, AFTER)] == [0, 10, 0]


def a_world(chance: random.Random, market: Market) -> list[date]:
    """Days around a clock change, trades in every product, some prices, and rules that begin in between."""
    first = date(2026, 10, 23)
    days = [first + timedelta(days=n) for n in range(5)]
    for minutes in (15, 30):
        for valid_from in sorted(chance.sample(days, 2)):
            rule(chance.choice(["own", "hour", "none"]), minutes=minutes, valid_from=valid_from)
    for day in days:
        for minutes in (60, 30, 15):
            for period in chance.sample(day_periods(day, market.zone, minutes), 4):
                label = label_of(period, market.zone)
                price, trader = str(chance.randrange(-50, 90)), chance.choice(["trader_1", "trader_2"])
                store_trade(label, chance.choice(["buy", "sell"]), "4", price, day=day, trader=trader)
                if chance.random() < 0.6:
                    store_price(label, str(chance.randrange(-50, 90)), day=day)
        for period in chance.sample(day_periods(day, market.zone), 12):
            store_price(label_of(period, market.zone), str(chance.randrange(-50, 90)), day=day)
    return days


@pytest.mark.parametrize("number", range(4))
def test_boards_desk_and_history_say_the_same(head: User, number: int) -> None:
    """PostgreSQL's way to a result and the board's, day by day, over rules, products and the long day."""
    market = germany()
    days = a_world(random.Random(SEED + number), market)
    market = Market.objects.get(pk=market.pk)
    now = MORNING.replace(year=2027)
    whole = load_history(market=market, trader=None, days=DayRange(days[0], days[-1]))
    of_day = dict(whole.days)
    for day in days:
        desk = load_desk(market=market, delivery_day=day, now=now)
        assert of_day[day].figures.performance_eur == desk.whole.total.performance_eur
        assert of_day[day].stand_in == desk.whole.stand_in_mwh
        assert sum(board.stand_in_mwh for board in desk.boards) == desk.whole.stand_in_mwh
    for trader in Trader.objects.all():
        own = dict(load_history(market=market, trader=trader, days=DayRange(days[0], days[-1])).days)
        for day in days:
            board = load_board(trader=trader, market=market, delivery_day=day, now=now)
            found = own.get(day)
            assert (found.figures.performance_eur if found else None) == board.total.performance_eur
            assert (found.unpriced if found else 0) == sum(
                row.figures.sold.energy + row.figures.bought.energy - row.figures.priced_mwh for row in board.rows
            )


# --- the admin ------------------------------------------------------------------------------------------------------
def added(client: Client, *rules: tuple[str, str]) -> Any:
    """Post the market's form with rules for quarter hours: (valid from, source)."""
    market = germany()
    form = {name: getattr(market, name) for name in ("code", "name", "time_zone", "currency", "gate_closure_minutes")}
    total = {"reference_rules-TOTAL_FORMS": len(rules), "reference_rules-INITIAL_FORMS": 0, "is_active": "on"}
    total |= {f"{others}-{count}_FORMS": 0 for others in ("rules", "gate_closures") for count in ("TOTAL", "INITIAL")}
    lines = {
        f"reference_rules-{n}-{name}": value
        for n, (day, source) in enumerate(rules)
        for name, value in (("valid_from", day), ("source", source), ("minutes", 15))
    }
    return client.post(f"/admin/market/market/{market.pk}/change/", {**form, **total, **lines})


def test_an_admin_adds_a_rule_for_a_day_to_come(client: Client) -> None:
    client.force_login(a_superuser("root"))
    assert added(client, ("2099-01-01", "hour")).status_code == 302
    assert str(ReferenceRule.objects.get()) == "quarter hours from 2099-01-01: hour"


@pytest.mark.parametrize(
    ("rules", "sentence"),
    [
        ([("2020-01-01", "hour")], "A rule can’t begin in the past"),
        ([("2099-01-01", "hour"), ("2099-01-01", "none")], "Please correct the duplicate"),
        ([("2099-01-01", "half")], "Select a valid choice"),
        ([("soon", "hour")], "Enter a valid date"),
    ],
)
def test_nonsense_is_refused_in_a_sentence(client: Client, rules: list[tuple[str, str]], sentence: str) -> None:
    client.force_login(a_superuser("root"))
    answer = added(client, *rules)
    assert answer.status_code == 200
    assert sentence in answer.content.decode().replace("&#x27;", "’")
    assert not ReferenceRule.objects.exists()


def test_a_rule_that_exists_can_t_be_changed_or_taken_away(client: Client) -> None:
    rule("hour")
    client.force_login(a_superuser("root"))
    page = client.get(f"/admin/market/market/{germany().pk}/change/").content.decode()
    assert 'name="reference_rules-0-source"' not in page.replace("reference_rules-__prefix__", "")
    assert "-DELETE" not in page
