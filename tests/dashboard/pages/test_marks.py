"""Marks of boards that a user switches off: kept with the user, carried by the browser, said on the page."""

from __future__ import annotations

import pytest
from django.test import Client

from dashboard.access import marks
from dashboard.models import HiddenMarks
from tests.dashboard.boards import SKETCH_DAY
from tests.dashboard.people import PASSWORD, a_trader
from tests.trades.frames import germany

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

BOARD = f"/boards/trader_1/{SKETCH_DAY}/"


@pytest.fixture
def anna(client: Client) -> Client:
    germany()
    client.force_login(a_trader())
    return client


def test_everything_is_shown_until_it_is_switched_off(anna: Client) -> None:
    assert "data-hides" not in anna.get(BOARD).content.decode()
    assert anna.get("/accounts/").content.decode().count('name="shown"') == len(marks.MARKS)
    answer = anna.post("/marks/", {"shown": [marks.PAST], "next": "/accounts/"})
    assert (answer.status_code, answer["Location"]) == (302, "/accounts/")
    assert '<body class="desk" data-hides="firmness break_even skill">' in anna.get(BOARD).content.decode()
    assert anna.get("/accounts/").content.decode().count(" checked>") == 1
    anna.post("/marks/", {"shown": list(marks.MARKS), "next": "/"})
    assert "data-hides" not in anna.get(BOARD).content.decode()


def test_a_log_in_brings_the_choice_to_another_browser(anna: Client) -> None:
    anna.post("/marks/", {"shown": [marks.FIRMNESS], "next": "/"})
    assert HiddenMarks.objects.get().names == "break_even past skill"
    other = Client()
    other.post("/accounts/login/", {"username": "anna", "password": PASSWORD})
    assert 'data-hides="break_even past skill"' in other.get(BOARD).content.decode()


def test_a_cookie_that_says_something_else_hides_nothing_else(anna: Client) -> None:
    anna.cookies["hidden"] = 'past."><script>.nothing'
    assert 'data-hides="past"' in anna.get(BOARD).content.decode()


def test_skill_or_luck_is_switched_off_where_it_stands(anna: Client) -> None:
    anna.post("/marks/", {"shown": [marks.FIRMNESS, marks.BREAK_EVEN, marks.PAST], "next": "/"})
    for address in ("/history/", "/history/earnings/"):
        assert '<body class="desk" data-hides="skill">' in anna.get(address).content.decode()


def test_nobody_chooses_without_a_log_in(client: Client) -> None:
    assert client.post("/marks/", {"shown": []}).status_code == 302
    assert not HiddenMarks.objects.exists()
