"""Every role at every address, socket, export, API answer and admin page, as tests/access/matrix.py says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.apps import apps
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from pytest_django import Settings

from accounts.audit.log import record
from accounts.audit.models import Action
from accounts.tokens import create_token
from dashboard.access.logins import create_trader_login
from dashboard.access.rights import GROUP_ROLES, Role
from dashboard.assumptions.models import AssumptionPolicy
from dashboard.live.routing import websocket_urlpatterns
from dashboard.models import TraderLogin
from market import clock
from prices.models import PriceCheck, PriceCorrection, ProviderRequest, ReferencePrice, ReferencePriceHistory
from reporting.asgi import application
from tests.access import matrix
from tests.access.matrix import ANONYMOUS, COLUMNS, SOCKETS, Row, http_rows
from tests.dashboard.assumptions.written import written
from tests.dashboard.boards import store_price
from tests.trades.frames import NOW, confirmation, germany, store
from trades.models import FeedConnection, FeedGap, JournalProgress, Position, QuarantinedMessage, Trade, Trader

pytestmark = [pytest.mark.integration]

PASSWORD = "a long enough password"
HOW_TO = "add a row to tests/access/matrix.py (its first lines say how), and say there who gets what"


# --- the world ----------------------------------------------------------------------------------------------------
def people() -> dict[str, User | None]:
    """One user for each column, of that role and no other."""
    users: dict[str, User | None] = {ANONYMOUS: None}
    for column, trader_id in (("trader", "trader_1"), ("another trader", "trader_2")):
        users[column] = create_trader_login(trader_id=trader_id, username=column.replace(" ", "-"), password=PASSWORD)
    for role in GROUP_ROLES:
        user = User.objects.create_user(role.value.replace(" ", "-"), password=PASSWORD)
        user.groups.add(Group.objects.get_or_create(name=role.value)[0])
        users[role.value] = user
    users[Role.ADMIN] = User.objects.create_superuser("admin", password=PASSWORD)
    assert set(users) == set(COLUMNS)
    return users


def rows_to_look_at() -> dict[str, Any]:
    """Model -> primary key of one of its rows, for every model that the admin shows."""
    market = germany()
    store(confirmation(1), confirmation(1, price=10), b"garbage")
    store_price("12-13", "20")
    price = ReferencePrice.objects.get()
    end = NOW + timedelta(seconds=5)
    period = {"delivery_start": price.delivery_start, "delivery_end": price.delivery_end}
    return {
        "audit.entry": record(action=Action.VIEWED, actor="somebody"),
        "auth.group": Group.objects.get_or_create(name="auditor")[0],
        "auth.user": User.objects.order_by("pk").first(),
        "market.market": market,
        "dashboard.assumption": written(User.objects.get(trader_login__trader__trader_id="trader_1")),
        "dashboard.assumptionpolicy": AssumptionPolicy.objects.get_or_create(pk=1)[0],
        "dashboard.traderlogin": TraderLogin.objects.first(),
        "trades.trader": Trader.objects.get(trader_id="trader_1"),
        "trades.trade": Trade.objects.get(),
        "trades.position": Position.objects.get(),
        "trades.quarantinedmessage": QuarantinedMessage.objects.get(kind="unusable"),
        "trades.journalprogress": JournalProgress.objects.first(),
        "trades.feedconnection": FeedConnection.objects.create(
            market=market, listener="l", connected_at=NOW, alive_at=NOW
        ),
        "trades.feedgap": FeedGap.objects.create(market=market, started_at=NOW, ended_at=end),
        "prices.referenceprice": price,
        "prices.referencepricehistory": ReferencePriceHistory.objects.get(),
        "prices.pricecorrection": a_correction(price),
        "prices.pricecheck": PriceCheck.objects.create(market=market, delivery_day=price.delivery_day, asked_at=NOW),
        "prices.providerrequest": ProviderRequest.objects.create(market=market, sent_at=NOW, **period),
    }


def a_correction(price: ReferencePrice) -> PriceCorrection:
    """A final price that was another before."""
    same = ("market", "delivery_day", "delivery_hour", "delivery_start", "delivery_end")
    facts = {name: getattr(price, name) for name in same}
    moments = {"last_update": NOW, "arrived_at": NOW, "old_last_update": NOW}
    return PriceCorrection.objects.create(value=2, old_value=1, why="by_hand", **facts, **moments)


def address_of(row: Row, world: dict[str, Any]) -> str:
    return re.sub(r"\{(.+?)\}", lambda found: str(world[found[1]].pk), row.address)


def client_of(user: User | None) -> Client:
    client = Client()
    if user is not None:
        client.force_login(user)
    return client


# --- no door without a row ----------------------------------------------------------------------------------------
def routes(patterns: list[Any], prefix: str = "") -> Iterator[str]:
    """Every route of the resolver, as matrix.py spells them."""
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, prefix + str(pattern.pattern))
        else:
            assert isinstance(pattern, URLPattern)
            yield re.sub(r"\(\?P<app_label>[^)]*\)", "(?P<app_label>)", prefix + str(pattern.pattern))


def test_every_address_has_a_row() -> None:
    missing = sorted(set(routes(get_resolver().url_patterns)) - {row.route for row in http_rows()})
    assert not missing, f"these addresses are in nobody's matrix: {missing}; {HOW_TO}"


def test_every_row_has_an_address() -> None:
    gone = sorted({row.route for row in http_rows()} - set(routes(get_resolver().url_patterns)))
    assert not gone, f"these rows of tests/access/matrix.py are about addresses that are gone: {gone}"


def test_every_websocket_has_a_row() -> None:
    there = {str(pattern.pattern) for pattern in websocket_urlpatterns}
    assert there == {row.route for row in SOCKETS}, HOW_TO


def test_the_document_shows_the_matrix() -> None:
    assert matrix.DOCUMENT.read_text(encoding="utf-8") == matrix.table(), "run python -m tests.access.matrix"


# --- every role at every door ---------------------------------------------------------------------------------------
def word_for(response: Any) -> str:
    """What a response is called in the matrix."""
    to = response.headers.get("Location", "")
    if response.status_code == 302 and to.startswith("/accounts/login/"):
        return "login"
    return "status" if response.status_code == 302 and to == "/status/" else str(response.status_code)


@pytest.mark.django_db
def test_everybody_gets_what_the_matrix_says_and_nothing_else() -> None:
    users, world = people(), rows_to_look_at()
    wrong = []
    for column, user in users.items():
        client = client_of(user)
        for row in http_rows():
            got, wanted = word_for(client.get(address_of(row, world))), row.cells()[column]
            if got != wanted:
                wrong.append(f"{column} at {row.address}: {got}, not {wanted}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.django_db
def test_a_token_gets_what_its_user_gets_where_programs_go(settings: Settings) -> None:
    settings.API_REQUESTS_PER_MINUTE = 10_000
    users, world = people(), rows_to_look_at()
    wrong = []
    for column, user in users.items():
        token = create_token(user=user, name="matrix", now=clock.now()) if user else "unknown"
        client = Client(headers={"Authorization": f"Bearer {token}"}, REMOTE_ADDR="127.0.0.1" if user else "192.0.2.1")
        for row in http_rows():
            got, wanted = word_for(client.get(address_of(row, world))), matrix.with_token(row, column)
            if user is None and matrix.PROGRAMS.match(row.address):
                assert got in {"401", "429"}, row.address
            elif got != wanted:
                wrong.append(f"{column}'s token at {row.address}: {got}, not {wanted}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.django_db(transaction=True)
async def test_everybody_gets_the_sockets_that_the_matrix_says() -> None:
    await sync_to_async(germany)()
    users = await sync_to_async(people)()
    wrong = []
    for column, user in users.items():
        cookies = (await sync_to_async(client_of)(user)).cookies
        cookie = "; ".join(f"{name}={morsel.value}" for name, morsel in cookies.items())
        for row in SOCKETS:
            got, wanted = await _socket_word(row.address, cookie), row.cells()[column]
            if got != wanted:
                wrong.append(f"{column} at {row.address}: {got}, not {wanted}")
    assert not wrong, "\n".join(wrong)


async def _socket_word(address: str, cookie: str) -> str:
    headers = [(b"host", b"localhost"), (b"origin", b"http://localhost"), (b"cookie", cookie.encode())]
    communicator = WebsocketCommunicator(application, address, headers)
    assert (await communicator.connect(timeout=5))[0]
    await communicator.send_to(text_data='{"have": "0"}')
    message = await communicator.receive_output(5)
    await communicator.disconnect()
    return "open" if message["type"] == "websocket.send" else str(message["code"])


# --- who only looks changes nothing -------------------------------------------------------------------------------
EVERYTHING_A_FORM_COULD_SAY = {
    "reason": "x",
    "note": "x",
    **{f"{form}-{name}": "x" for form in ("cancel", "close", "dismiss", "accept") for name in ("reason", "note")},
    "retry-note": "",
    "action": "delete_selected",
    "_selected_action": "1",
    "post": "yes",
    "username": "new",
    "password1": PASSWORD,
    "password2": PASSWORD,
    "usable_password": "true",
    "name": "changed",
    "code": "XX",
    "is_superuser": "on",
    "is_active": "",
    "trader_id": "new",
    "user": "1",
    "trader": "1",
}
EVERYBODYS_OWN = ("/accounts/", "/first-visit/", "/marks/", "/admin/logout/", "/admin/password_change/")
_MOVES_BY_ITSELF = {"accounts.usersession", "audit.entry"}


def everything() -> dict[str, list[Any]]:
    """All rows of all tables, but for what looking around writes by design."""
    models = (model for model in apps.get_models() if model._meta.label_lower not in _MOVES_BY_ITSELF)
    return {model._meta.label: list(model._default_manager.order_by("pk").values_list()) for model in models}


@pytest.mark.django_db
@pytest.mark.parametrize("column", [ANONYMOUS, "trader", "another trader", "desk head", "auditor", "wall screen"])
def test_whoever_only_looks_changes_nothing(column: str) -> None:
    users, world = people(), rows_to_look_at()
    client = client_of(users[column])
    before = everything()
    for row in http_rows():
        if row.address.startswith(EVERYBODYS_OWN):
            continue
        with transaction.atomic():
            status = client.post(address_of(row, world), EVERYTHING_A_FORM_COULD_SAY).status_code
        assert status < 500, f"{row.address}: {status}"
    assert everything() == before


# --- operations can't make themselves more --------------------------------------------------------------------------
@pytest.fixture
def operations(db: None) -> Client:
    users = people()
    rows_to_look_at()
    return client_of(users["operations"])


def fields_of(user: User, **changes: str) -> dict[str, str]:
    return {"username": user.username, "is_active": "on", **changes}


def test_operations_add_users_without_any_role(operations: Client) -> None:
    said = {"username": "new", "password1": PASSWORD, "password2": PASSWORD, "usable_password": "true"}
    assert operations.post("/admin/auth/user/add/", {**said, "is_superuser": "on"}).status_code == 302
    new = User.objects.get(username="new")
    assert not (new.is_superuser or new.is_staff or new.groups.exists())
    assert operations.get(f"/admin/auth/user/{new.pk}/password/").status_code == 200


@pytest.mark.parametrize("username", ["operations", "trader", "auditor"])
def test_operations_give_no_roles_and_take_no_names(operations: Client, username: str) -> None:
    user = User.objects.get(username=username)
    groups = set(user.groups.all())
    hoped = {"is_superuser": "on", "is_staff": "on", "groups": str(Group.objects.get(name="auditor").pk)}
    operations.post(f"/admin/auth/user/{user.pk}/change/", fields_of(user, **hoped, username="other"))
    user.refresh_from_db()
    assert (user.username, user.is_superuser, user.is_staff) == (username, False, False)
    assert set(user.groups.all()) == groups


@pytest.mark.parametrize("username", ["trader", "desk-head", "auditor", "admin", "operations"])
def test_operations_set_no_password_that_opens_more(operations: Client, username: str) -> None:
    user = User.objects.get(username=username)
    said = {"password1": "another password", "password2": "another password", "usable_password": "true"}
    assert operations.post(f"/admin/auth/user/{user.pk}/password/", said).status_code == 404
    user.refresh_from_db()
    assert user.check_password(PASSWORD)


def test_operations_deactivate_a_trader_but_no_admin(operations: Client) -> None:
    trader, admin = User.objects.get(username="trader"), User.objects.get(username="admin")
    for user in (trader, admin):
        operations.post(f"/admin/auth/user/{user.pk}/change/", {"username": user.username})
        user.refresh_from_db()
    assert not trader.is_active
    assert admin.is_active


def test_operations_see_no_trade_in_a_conflict(operations: Client) -> None:
    conflict = QuarantinedMessage.objects.get(kind="conflict")
    text = operations.get(f"/admin/trades/quarantinedmessage/{conflict.pk}/change/").content.decode()
    assert "trade_confirmation" not in text
    assert "The stored trade and this frame" not in text
    address = f"/admin/trades/quarantinedmessage/{conflict.pk}/decide/accept/"
    assert operations.post(address, {"accept-reason": "x"}).status_code == 404
