"""Never a stale page, never another's: data, rights, passwords and sessions change, and are read at once everywhere."""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from django.contrib.auth.models import User

from accounts.sessions import end_sessions
from dashboard.access.rights import DESK_HEAD
from dashboard.models import TraderLogin
from tests.dashboard.boards import SKETCH_DAY, store_price, store_trade
from tests.dashboard.people import a_head, a_trader
from tests.processes import wait_until
from tests.web.browsers import Browser, shown
from tests.web.serving import answers, starting_web
from trades.models import Trader

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]

ROUNDS = 80
"""Changes; each is read by two browsers in each of two processes, READS times: thousands of pages."""
READS = 6


@pytest.fixture(scope="module")
def webs(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """Two web processes for all tests of this file; their addresses."""
    tmp_path = tmp_path_factory.mktemp("webs")
    with ExitStack() as stack:
        addresses = [stack.enter_context(starting_web(tmp_path / f"web-{number}.log")) for number in range(2)]
        for address in addresses:  # both start at the same time
            wait_until(lambda where=address: answers(where), "the web process")
        yield addresses


def test_whatever_changes_is_on_the_very_next_page(webs: list[str]) -> None:
    """In any order: trades of either trader, a price, a name. Nobody sees the other's figures."""
    dice = random.Random(6)
    a_trader("trader_1", "anna")
    a_trader("trader_2", "ben")
    browsers = {who: [Browser(web, who) for web in webs] for who in ("anna", "ben")}
    own = {"anna": "trader_1", "ben": "trader_2"}
    counts, price = {"anna": 0, "ben": 0}, itertools.count(10)
    store_price("12-13", "9")
    for round_number in range(ROUNDS):
        who = dice.choice(["anna", "ben"])
        if round_number % 10 == 9:
            value = str(next(price))
            store_price("12-13", value)
        else:
            store_trade("12-13", "sell", "10", "20", trader=own[who])
            counts[who] += 1
        for _ in range(READS):
            for name, pages in browsers.items():
                for browser in pages:
                    answer = browser.board(own[name], SKETCH_DAY)
                    assert shown(answer) == str(counts[name])
                    assert f'data-field="reference_price" data-value="{next_value(price)}"' in answer.text
    Trader.objects.filter(trader_id="trader_1").update(name="Renamed")
    for browser in browsers["anna"]:
        assert "Renamed" in browser.board("trader_1", SKETCH_DAY).text


def next_value(price: itertools.count[int]) -> str:
    """The price stored last: one below what comes next."""
    following = int(re.findall(r"\d+", repr(price))[0])
    return str(following - 1)


def _password(user: User) -> None:
    user.set_password("another long password")
    user.save()


def _take_role(user: User) -> None:
    user.groups.clear()


def _give_back(user: User) -> None:
    user.groups.add(*User.groups.field.related_model.objects.filter(name=DESK_HEAD))


def _deactivate(user: User) -> None:
    user.is_active = False
    user.save()


def _end(user: User) -> None:
    end_sessions(user=user)


@pytest.mark.parametrize(
    ("harm", "status"),
    [(_password, 302), (_deactivate, 302), (_end, 302), (_take_role, 404)],
    ids=lambda v: str(v)[:12],
)
def test_who_loses_the_right_loses_the_page_at_once(webs: list[str], harm: Callable[[User], None], status: int) -> None:
    store_trade("12-13", "sell", "10", "20")
    head = a_head()
    browsers = [Browser(web, "head") for web in webs]
    for browser in browsers * 4:
        assert browser.board("trader_1", SKETCH_DAY).status_code == 200
    harm(head)
    assert [browser.board("trader_1", SKETCH_DAY).status_code for browser in browsers * 2] == [status] * 4


def test_a_traders_login_moves_to_another_trader(webs: list[str]) -> None:
    store_trade("12-13", "sell", "10", "20")
    store_trade("12-13", "sell", "10", "20", trader="trader_2")
    anna = a_trader("trader_1", "anna")
    browsers = [Browser(web, "anna") for web in webs]
    for browser in browsers * 4:
        assert browser.board("trader_1", SKETCH_DAY).status_code == 200
    TraderLogin.objects.filter(user=anna).update(trader=Trader.objects.get(trader_id="trader_2"))
    assert [b.board("trader_1", SKETCH_DAY).status_code for b in browsers] == [404, 404]
    assert [b.board("trader_2", SKETCH_DAY).status_code for b in browsers] == [200, 200]


def test_roles_taken_and_given_in_turn(webs: list[str]) -> None:
    store_trade("12-13", "sell", "10", "20")
    head = a_head()
    browsers = [Browser(web, "head") for web in webs]
    for _ in range(20):
        assert [b.board("trader_1", SKETCH_DAY).status_code for b in browsers * 3] == [200] * 6
        _take_role(head)
        assert [b.board("trader_1", SKETCH_DAY).status_code for b in browsers * 2] == [404] * 4
        _give_back(head)
