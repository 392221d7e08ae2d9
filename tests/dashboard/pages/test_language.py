"""A page's language: the user's choice, else the browser's; German figures, and what programs read in neither."""

from __future__ import annotations

import html

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.utils.translation import override

from dashboard.models import Preference
from tests.dashboard.boards import a_board, sketch, store_sketch, the_feeds
from tests.dashboard.people import PASSWORD, a_trader
from tests.trades.frames import germany

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

BOARD = "/boards/trader_1/2023-02-06/"
GERMAN = {"HTTP_ACCEPT_LANGUAGE": "de-AT,de;q=0.9,en;q=0.5"}


@pytest.fixture
def anna(client: Client) -> User:
    germany()
    store_sketch()
    user = a_trader()
    client.force_login(user)
    return user


def text(client: Client, address: str, status: int = 200, **headers: str) -> str:
    response = client.get(address, **headers)  # type: ignore[arg-type]
    assert response.status_code == status
    return html.unescape(response.content.decode())


def choose(client: Client, language: str, then: str = BOARD) -> str:
    response = client.post("/language/", {"language": language, "next": then})
    assert response.status_code == 302
    return response["Location"]


def test_the_browser_decides_while_nobody_chose(client: Client, anna: User) -> None:
    assert "Wie stehen wir bisher?" in text(client, BOARD, **GERMAN)
    assert "How are we doing so far?" in text(client, BOARD)
    assert "How are we doing so far?" in text(client, BOARD, HTTP_ACCEPT_LANGUAGE="fr")


def test_a_german_board(client: Client, anna: User) -> None:
    page = text(client, BOARD, **GERMAN)
    assert '<html lang="de">' in page
    assert 'data-value="10.2">10,20<' in page
    assert ">+0,40<" in page
    assert "Mo 6. Feb" in page
    assert 'data-socket="/ws/boards/trader_1/2023-02-06/?language=de"' in page
    assert "nicht live seit {time}" in page, "for the scripts"


def test_a_choice_is_the_users_and_comes_back_with_the_log_in(client: Client, anna: User) -> None:
    assert choose(client, "de") == BOARD
    assert "Wie stehen wir bisher?" in text(client, BOARD, HTTP_ACCEPT_LANGUAGE="en")
    assert Preference.objects.get(user=anna).language == "de"
    elsewhere = Client()
    elsewhere.post("/accounts/login/", {"username": "anna", "password": PASSWORD})
    assert "Wie stehen wir bisher?" in text(elsewhere, BOARD)
    choose(elsewhere, "en")
    assert "How are we doing so far?" in text(elsewhere, BOARD, **GERMAN)


def test_before_the_log_in_the_browser_remembers(client: Client, db: None) -> None:
    assert "Anmelden" in text(client, "/accounts/login/", **GERMAN)
    choose(client, "de", "/accounts/login/")
    assert "Anmelden" in text(client, "/accounts/login/")
    assert not Preference.objects.exists()


@pytest.mark.parametrize("away", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", ""])
def test_the_way_back_is_never_elsewhere(client: Client, away: str) -> None:
    assert choose(client, "de", away) == "/"


def test_an_unknown_language_is_refused(client: Client, anna: User) -> None:
    response = client.post("/language/", {"language": "xx"})
    assert response.status_code == 400
    assert "There are no pages in this language." in response.content.decode()
    assert not Preference.objects.exists()
    assert client.get("/language/").status_code == 405


def test_refusals_are_german_too(client: Client, anna: User) -> None:
    assert "Es gibt keinen Händler „nobody“" in text(client, "/boards/nobody/2023-02-06/", 404, **GERMAN)
    assert "2023-02-30 steht nicht im Kalender." in text(client, "/boards/trader_1/2023-02-30/", 404, **GERMAN)
    assert "Unter dieser Adresse gibt es keine Seite." in text(client, "/nowhere", 404, **GERMAN)


def test_a_wrong_password_in_german(client: Client, anna: User) -> None:
    wrong = {"username": "anna", "password": "no"}
    response = Client().post("/accounts/login/", wrong, **GERMAN)  # type: ignore[arg-type]
    assert "Benutzername und Passwort passen nicht zusammen." in response.content.decode()


def test_programs_get_dots_in_every_language(client: Client, anna: User) -> None:
    answer = client.get("/api/v1/boards/trader_1/2023-02-06", **GERMAN).json()  # type: ignore[arg-type]
    assert answer["periods"][12]["average_price"] == "10.2"


def test_rows_are_remembered_per_language() -> None:
    from dashboard.render.board import render_parts

    traded, references = sketch()
    board = a_board(*traded, references=references)
    shown = {}
    for language in ("en", "de", "en", "de"):
        with override(language):
            shown.setdefault(language, []).append(render_parts(board, the_feeds())["p-20230206T1100Z-60"])
    assert ">10.20<" in shown["en"][0] == shown["en"][1]
    assert ">10,20<" in shown["de"][0] == shown["de"][1]


def test_all_languages_are_offered() -> None:
    assert [code for code, _ in settings.LANGUAGES] == ["en", "de"]
