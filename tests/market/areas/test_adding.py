"""A market begun from what is known of its area, its values confirmed, and rules that make no sense refused."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client

from market.areas.adding import AreaError, add_market, confirm, unconfirmed
from market.models import GateClosure, Market, MarketRule
from market.periods import parse_day

pytestmark = [pytest.mark.integration, pytest.mark.django_db]
DAY = date(2026, 11, 27)
FIVE = {"phase": "area", "lead_minutes": 5, "counts_from": "own"}


@pytest.fixture
def admin(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("root", password="x"))
    return client


def said(*words: str) -> str:
    out = StringIO()
    call_command("add_market", *words, stdout=out)
    return out.getvalue()


# --- the command ------------------------------------------------------------------------------------------------------
def test_finland_in_one_command() -> None:
    text = said("fi", "--exchange-ws-url", "ws://127.0.0.1:1", "--market-data-url", "http://127.0.0.1:2")
    assert "FI (Finland) is a market of the desk" in text
    assert "to be checked: gate closure: area, every product, from 2000-01-01: 30 min before delivery" in text
    market = Market.objects.get(code="FI")
    assert (market.time_zone, market.currency, market.is_active) == ("Europe/Berlin", "EUR", True)
    assert market.exchange_ws_url == "ws://127.0.0.1:1"
    rules = market.rules_on(DAY)
    assert (rules.people_zone.key, rules.opening, sorted(rules.products)) == ("Europe/Helsinki", time(15), [15, 60])
    period = market.day_periods(DAY)[8]
    assert market.label_of(period) == "08-09"
    assert [(gate.phase.value, f"{gate.closes_at:%H:%M}") for gate in market.gates(DAY, period)] == [
        ("borders", "06:30"),
        ("area", "06:30"),
    ]


def test_great_britain_counts_its_day_from_the_evening_before() -> None:
    market = add_market("GB")
    assert market.day_bounds(DAY)[0].isoformat() == "2026-11-26T23:00:00+00:00"
    assert market.label_of(market.day_periods(DAY, 30)[0]) == "23:00-23:30"
    assert market.rules_on(DAY).currency == "GBP"


def test_what_a_market_begins_with_was_always_known() -> None:
    """Its first trades and prices may be of days before it was added: a past board goes by these rules all the same."""
    market = add_market("GB")
    assert market.known_at(datetime(2026, 1, 1, tzinfo=UTC)) is market


def test_every_area_can_be_added() -> None:
    for line in said("--list").splitlines():
        code = line.split()[0]
        if code != "DE":
            assert f"{code} (" in said(code)
    assert Market.objects.count() == 20


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["XX"], "nothing is known of “XX”"),
        (["DE"], "DE is a market already"),
        ([], "name an area"),
    ],
)
def test_what_can_t_be_added_is_said_and_nothing_is_there(words: list[str], sentence: str) -> None:
    Market.objects.get_or_create(code="DE")
    before = Market.objects.count(), MarketRule.objects.count(), GateClosure.objects.count()
    with pytest.raises(CommandError, match=sentence):
        said(*words)
    assert (Market.objects.count(), MarketRule.objects.count(), GateClosure.objects.count()) == before


# --- confirming -------------------------------------------------------------------------------------------------------
def test_values_wait_until_a_person_confirms_them(admin: Client) -> None:
    market = add_market("AT")
    waiting = unconfirmed(market)
    assert {one.name: one.value for one in waiting[:2]} == {
        "products": "hours, quarter hours",
        "how the doubled hour is written": "3A/3B",
    }
    page = admin.get(f"/admin/market/market/{market.pk}/change/").content.decode()
    assert "To be checked" in page and "products: hours, quarter hours" in page
    address, form = f"/admin/market/market/{market.pk}/change/", own_form(market)
    assert admin.post(address, {**form, "confirmed": [waiting[0].key, waiting[-1].key]}).status_code == 302
    assert [one.key for one in unconfirmed(market)] == [one.key for one in waiting[1:-1]]
    assert confirm(market, {one.key for one in waiting}) == len(waiting) - 2
    assert "To be checked" not in admin.get(address).content.decode()


def test_an_area_is_chosen_in_the_admin(admin: Client) -> None:
    form = {"area": "FI", "code": "FI", "name": "Finland", "time_zone": "Europe/Paris", "currency": "EUR"}
    answer = admin.post("/admin/market/market/add/", {**form, "gate_closure_minutes": 5, "is_active": "on"})
    assert answer.status_code == 302
    market = Market.objects.get(code="FI")
    assert market.time_zone == "Europe/Berlin", "the area's own"
    assert market.rules_on(DAY).people_zone.key == "Europe/Helsinki"


# --- rules for days to come -------------------------------------------------------------------------------------------
def own_form(market: Market, **lines: object) -> dict[str, object]:
    """The market's form, with lines of its inline forms such as gate_closures={0: {...}}."""
    form: dict[str, object] = {"name": market.name, "is_active": "on"}
    for prefix in ("rules", "gate_closures", "reference_rules"):
        added = lines.get(prefix, ())
        stored = getattr(market, prefix).count()
        form |= {f"{prefix}-TOTAL_FORMS": len(added) + 0 * stored, f"{prefix}-INITIAL_FORMS": 0}  # type: ignore[arg-type]
        for number, line in enumerate(added):  # type: ignore[arg-type,var-annotated]
            form |= {f"{prefix}-{number}-{name}": value for name, value in line.items()}
    return form


def test_a_rule_for_next_year_changes_nothing_today(admin: Client) -> None:
    market = add_market("SE")
    lines = {
        "rules": [{"valid_from": "2099-01-01", "currency": "SEK", "opening": "13:00", "products": [60]}],
        "gate_closures": [{"valid_from": "2099-01-01", "phase": "area", "lead_minutes": 30, "counts_from": "hour"}],
    }
    answer = admin.post(f"/admin/market/market/{market.pk}/change/", own_form(market, **lines))
    assert answer.status_code == 302, answer.content.decode()
    market = Market.objects.get(pk=market.pk)
    before, then = parse_day("2098-12-31"), parse_day("2099-01-01")
    assert (market.rules_on(before).currency, market.rules_on(then).currency) == ("EUR", "SEK")
    assert (market.rules_on(before).products, market.rules_on(then).products) == ({60, 15}, {60})
    old, new = (market.day_periods(day, 15)[3] for day in (before, then))
    assert old.start - market.gate_closure(before, old) == old.start - datetime.fromisoformat("2098-12-30T22:45Z")
    assert market.gate_closure(then, new) == datetime.fromisoformat("2098-12-31T22:30Z"), "with its hour, 30 min"


@pytest.mark.parametrize(
    ("prefix", "lines", "sentence"),
    [
        ("gate_closures", [{**FIVE, "lead_minutes": -5}], "greater than or equal to 0"),
        ("gate_closures", [{**FIVE, "lead_minutes": 0}], "A gate closes before delivery"),
        ("gate_closures", [FIVE, FIVE], "two rules of the same kind"),
        ("gate_closures", [{**FIVE, "phase": "street"}], "Select a valid choice"),
        ("rules", [{"day_start": "25:00"}], "Enter a valid time"),
        ("rules", [{"day_start": "23:30"}], "A delivery day begins on a whole hour"),
        ("rules", [{"time_zone": "Europe/Atlantis"}], "is not a time zone"),
        ("rules", [{"time_zone": "Asia/Kolkata"}], "not whole hours from UTC"),
        ("rules", [{"currency": "XYZ"}], "is not a currency known here"),
        ("rules", [{}], "A rule that changes nothing"),
        ("rules", [{"lowest_price": 10, "highest_price": 5}], "The lowest price is not below the highest"),
        ("rules", [{"reference_rhythm": 5}], "A rhythm has 60 to 3600 seconds"),
        ("rules", [{"opening": "13:00"}, {"opening": "14:00"}], "There are two rules of the same kind|duplicate"),
        ("rules", [{"valid_from": "2020-01-01", "opening": "13:00"}], "A rule can’t begin in the past"),
    ],
)
def test_senseless_rules_are_refused_in_a_sentence(
    admin: Client, prefix: str, lines: list[dict[str, object]], sentence: str
) -> None:
    market = add_market("SE")
    before = MarketRule.objects.count(), GateClosure.objects.count()
    lines = [{"valid_from": "2099-01-01", **line} for line in lines]
    answer = admin.post(f"/admin/market/market/{market.pk}/change/", own_form(market, **{prefix: lines}))
    page = answer.content.decode().replace("&#x27;", "’")
    assert answer.status_code == 200
    assert any(part in page for part in sentence.split("|"))
    assert (MarketRule.objects.count(), GateClosure.objects.count()) == before


def test_what_held_first_can_t_be_rewritten(admin: Client) -> None:
    market = add_market("SE")
    form = own_form(market) | {"time_zone": "Europe/Rome", "currency": "SEK", "code": "SX", "gate_closure_minutes": 9}
    assert admin.post(f"/admin/market/market/{market.pk}/change/", form).status_code == 302
    kept = Market.objects.get(pk=market.pk)
    assert (kept.code, kept.time_zone, kept.currency, kept.gate_closure_minutes) == ("SE", "Europe/Berlin", "EUR", 5)


def test_an_unknown_area_raises() -> None:
    with pytest.raises(AreaError, match="nothing is known"):
        add_market("ZZ")


# --- the demo's -------------------------------------------------------------------------------------------------------
def test_the_demo_plays_markets_and_those_of_an_earlier_run_no_more(settings: Any) -> None:
    settings.DEBUG = True
    add_market("SE", exchange_ws_url="wss://exchange.example")
    call_command("create_demo_markets", "FI=ws://127.0.0.1:1,http://127.0.0.1:2")
    again = ("GB=ws://127.0.0.1:3,http://127.0.0.1:4", "FI=ws://127.0.0.1:5,http://127.0.0.1:6")
    call_command("create_demo_markets", *again)
    assert Market.objects.get(code="FI").market_data_url == "http://127.0.0.1:6"
    call_command("create_demo_markets")
    active = set(Market.objects.filter(is_active=True).values_list("code", flat=True))
    assert active.isdisjoint({"FI", "GB"}) and "SE" in active


@pytest.mark.parametrize(
    ("debug", "text", "sentence"),
    [
        (False, "FI=ws://127.0.0.1:1,http://127.0.0.1:2", "only created with DEBUG on"),
        (True, "FI", "not of the form"),
        (True, "FI=wss://exchange.example,http://127.0.0.1:2", "not of the form"),
        (True, "XX=ws://127.0.0.1:1,http://127.0.0.1:2", "nothing is known"),
    ],
)
def test_no_demo_market(settings: Any, debug: bool, text: str, sentence: str) -> None:
    settings.DEBUG = debug
    before = Market.objects.count()
    with pytest.raises(CommandError, match=sentence):
        call_command("create_demo_markets", text)
    assert Market.objects.count() == before
