"""What stands in a page's head leads somewhere, with one market and with two."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

import pytest
import time_machine
from django.test import Client

from market.areas.adding import add_market
from tests.dashboard.assumptions.written import NOW, written
from tests.dashboard.people import a_superuser, a_trader
from tests.trades.frames import confirmation, germany, store

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

ENTRANCES = ("/", "/desk/", "/history/", "/history/earnings/", "/desk/against-itself/", "/assumptions/", "/alerts/")
_HEAD = re.compile(r"<header.*?</header>", re.DOTALL)


def _links(page: str) -> Iterator[str]:
    """All but those to an earlier moment, of which nothing may be known yet."""
    for head in _HEAD.findall(page):
        yield from (html.unescape(link) for link in re.findall(r'<a [^>]*href="(/[^"]*)"', head) if "as_of" not in link)


def _answers(client: Client) -> dict[str, int]:
    """What the entrances answer, and every address that their heads and those of their own views lead to."""
    answers: dict[str, int] = {}
    with time_machine.travel(NOW, tick=False):
        ahead = list(ENTRANCES)
        for deeper in (True, True, False):
            pages = [client.get(address) for address in ahead]
            answers |= {address: page.status_code for address, page in zip(ahead, pages, strict=True)}
            texts = [page.content.decode() for page in pages if page["Content-Type"].startswith("text/html")]
            ahead = sorted({link for text in texts for link in _links(text)} - set(answers)) if deeper else []
    return answers


@pytest.mark.parametrize("markets", [("DE",), ("DE", "GB")])
def test_every_link_of_every_head_leads_to_a_page(client: Client, markets: tuple[str, ...]) -> None:
    germany()
    for code in markets[1:]:
        add_market(code)
    trader = a_trader()
    store(confirmation(1))
    written(trader)
    for user, forbidden in ((trader, {"/desk/", "/desk/against-itself/"}), (a_superuser(), set())):
        client.force_login(user)
        answers = _answers(client)
        assert {address for address, status in answers.items() if status not in {200, 302}} == forbidden
        assert ("/assumptions/?market=DE" in answers) is (len(markets) > 1)


def test_assumptions_name_the_market_that_they_are_of(client: Client) -> None:
    germany()
    add_market("GB")
    client.force_login(a_trader())
    with time_machine.travel(NOW, tick=False):
        page = client.get("/assumptions/?market=GB").content.decode()
        of_all = client.get("/assumptions/?market=")
        refused = client.post("/assumptions/?market=GB", {"market": "GB"})
    assert '<option value="GB" selected>' in page, "showing other days must not lose the market"
    assert 'href="/assumptions/assumptions.csv?market=GB' in page
    assert (of_all.status_code, refused.status_code) == (200, 400)


def test_an_assumption_leads_to_the_board_of_its_market(client: Client) -> None:
    germany()
    add_market("GB")
    user = a_trader()
    client.force_login(user)
    written(user, market="GB")
    with time_machine.travel(NOW, tick=False):
        page = client.get("/assumptions/").content.decode()
        (row,) = re.findall(r'<td><a href="(/boards/[^"]*)">([^<]*)</a>', page)
        opened = client.get(row[0]).content.decode()
    assert row[0] == "/boards/trader_1/2026-11-23/12-13/?market=GB"
    assert row[1].startswith("GB ")
    assert "Europe/London" in opened
