"""Hostile names, ids and reasons through page, push, admin, export, log, metric and error page: data, and nothing else.

The wire takes any text without control characters as an id (docs/confirmations.md); the rest is kept aside, whole.
"""

from __future__ import annotations

import csv
import io
import json
import logging
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote

import openpyxl
import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.test import Client

from accounts.audit.log import record
from accounts.audit.models import Action, Entry
from accounts.audit.queries import verified_head
from dashboard.access.logins import create_trader_login
from dashboard.models import TraderLogin
from tests.access.matrix import http_rows
from tests.access.test_matrix import address_of, rows_to_look_at
from tests.dashboard.live.test_sockets import socket
from tests.dashboard.people import PASSWORD, a_superuser
from tests.trades.frames import confirmation, germany, store
from trades.ledger.traders import ensure_trader
from trades.models import QuarantinedMessage, Trade, TradeChange, Trader

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]

MARKUP = """<script>alert(1)</script>"'><img src=x onerror=alert(2)>&amp;{{ 7*7 }}{% now %}javascript:alert(3)"""
NAMES = [
    MARKUP,
    '=HYPERLINK("http://evil.example","x")',
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "-1+1",
    "+49 tax\u2028id\u2029",
    "a/b?c#d%0d%0aSet-Cookie: x=1;../..",
    "\u202etxt.exe\u200b",
    "名\U0001f31e" + "x" * 200,
]
NOT_ON_THE_WIRE = ["line\r\nX-Injected: 1", "\x1b[31mred\x1b[0m\x07", "nul\0nul", "x" * 10_000, ""]
SPEECH = [*NAMES, *NOT_ON_THE_WIRE[:3]]
DAY = "2026-11-23"


class Reader(HTMLParser):
    """What a browser would run: inline scripts, event handlers, styles, addresses that are scripts."""

    def __init__(self) -> None:
        super().__init__()
        self.bad: list[str] = []
        self.text: list[str] = []
        self._in_script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = {name for name, _ in attrs}
        self._in_script = tag == "script"
        is_data = ("type", "application/json") in attrs
        if tag == "script" and "src" not in names and not is_data:
            self.bad.append("an inline script")
        self.bad += [f"{tag} {name}" for name in names if name.startswith("on") or name == "style"]
        addresses = [value or "" for name, value in attrs if name in {"href", "src", "action", "formaction"}]
        self.bad += [value for value in addresses if value.lower().lstrip().startswith(("javascript:", "data:"))]
        self.bad += [
            f"an image from {value}" for value in addresses if tag == "img" and not value.startswith("/static")
        ]

    def handle_data(self, data: str) -> None:
        if not self._in_script:
            self.text.append(data)


def judged(answer: Any) -> str:
    """The page's text, once it is sure that nothing in it would run and no header was split."""
    assert answer.status_code < 500, answer
    for name, value in answer.headers.items():
        assert "\r" not in value and "\n" not in value, name
        assert name.lower() != "x-injected"
    assert "x" not in answer.cookies
    if "html" not in answer.headers.get("Content-Type", ""):
        return ""
    reader = Reader()
    reader.feed(answer.content.decode())
    assert reader.bad == [], answer.request["PATH_INFO"]
    return "".join(reader.text)


@pytest.fixture
def root(client: Client) -> User:
    """An admin, logged in; trades of every hostile trader with hostile ids, changed for hostile reasons."""
    germany()
    user = a_superuser()
    frames = [
        confirmation(f"{name[:200]} {n}", trader_id=name, direction="sell", price=-5 - n)
        for n, name in enumerate(NAMES)
    ]
    result = store(*frames, *(confirmation(name, trader_id=name) for name in NOT_ON_THE_WIRE))
    assert (result.stored, result.quarantined) == (len(NAMES), len(NOT_ON_THE_WIRE))
    for trader in Trader.objects.all():
        trader.name = trader.trader_id[:80]
        trader.save()
    client.force_login(user)
    return user


def test_every_page_shows_hostile_text_as_text(client: Client, root: User) -> None:
    for name in NAMES:
        board = f"/boards/{quote(name, safe='')}/{DAY}/"
        assert name.split("\u2028")[0][:60] in judged(client.get(board)), name
        for address in (f"{board}12-13/", f"{board}12-13/?show=trades", f"/history/?trader={quote(name)}"):
            judged(client.get(address))
        answer = client.get(f"/api/v1/boards/{quote(name, safe='')}/{DAY}")
        assert answer.json()["trader_id"] == name
        assert answer.headers["Content-Type"] == "application/json"
    assert "<script>" in judged(client.get(f"/desk/{DAY}/"))


def test_the_admin_shows_hostile_text_as_text(client: Client, root: User) -> None:
    for name in SPEECH:
        record(action=Action.VIEWED, actor=name, subject=name, details={"why": name}, address=name)
    for trade in Trade.objects.all():
        reason = {"cancel-reason": trade.exchange_id[:400]}
        judged(client.post(f"/admin/trades/trade/{trade.pk}/decide/cancel/", reason))
        judged(client.get(f"/admin/trades/trade/{trade.pk}/change/"))
        judged(client.get(f"/admin/trades/trade/{trade.pk}/history/"))
    assert TradeChange.objects.count() == len(NAMES)
    for message in QuarantinedMessage.objects.all():
        judged(client.get(f"/admin/trades/quarantinedmessage/{message.pk}/change/"))
        note = {"dismiss-note": message.detail + MARKUP}
        judged(client.post(f"/admin/trades/quarantinedmessage/{message.pk}/decide/dismiss/", note))
    for model in ("trades/trade", "trades/trader", "trades/position", "trades/quarantinedmessage", "audit/entry"):
        judged(client.get(f"/admin/{model}/"))
        for term in SPEECH:
            judged(client.get(f"/admin/{model}/", {"q": term, "direction__exact": term, "trader__id__exact": term}))
    assert verified_head().number == Entry.objects.count()


def test_a_reason_of_any_length_and_kind_is_refused_or_kept_whole(client: Client, root: User) -> None:
    trade = Trade.objects.first()
    assert trade is not None
    address = f"/admin/trades/trade/{trade.pk}/decide/cancel/"
    for reason in ("x" * 10_000, "nul\0nul", "   ", "\r\n"):
        answer = client.post(address, {"cancel-reason": reason})
        assert answer.status_code == 422, reason[:20]
        judged(answer)
    said = "line\r\nX-Injected: 1 \x1b[31m\u2028" + MARKUP
    client.post(address, {"cancel-reason": said})
    assert TradeChange.objects.get(trade=trade).reason == said
    judged(client.get(f"/admin/trades/trade/{trade.pk}/change/"))


def test_exports_are_typed_column_by_column(client: Client, root: User) -> None:
    """A formula is text, a negative price is a number, whoever the trader is."""
    for name in NAMES:
        base = f"/boards/{quote(name, safe='')}/{DAY}/12-13/trades"
        answer = client.get(f"{base}.csv")
        assert answer.status_code == 200
        assert answer.headers["Content-Disposition"].count(";") == 1
        judged(answer)
        rows = list(csv.reader(io.StringIO(b"".join(answer).decode("utf-8-sig"), newline="")))
        cells = [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]
        assert all(cell[:1] not in set("=+@") for row in cells for cell in row.values())
        assert any(cell.startswith("-") and float(cell) < 0 for row in cells for cell in row.values()), (
            "a negative price"
        )
        book = openpyxl.load_workbook(io.BytesIO(b"".join(client.get(f"{base}.xlsx"))))
        values = [cell for sheet in book.worksheets for row in sheet.iter_rows(min_row=2) for cell in row]
        assert not [cell for cell in values if cell.data_type == "f"], "no cell is a formula"
        assert [cell for cell in values if cell.data_type == "n" and cell.value is not None and cell.value < 0]
    assert Entry.objects.filter(action=Action.EXPORTED).count() == 2 * len(NAMES)


def test_error_pages_and_odd_addresses_run_nothing(client: Client, root: User) -> None:
    for text in (*NAMES, *NOT_ON_THE_WIRE[:4]):
        said = quote(text, safe="")
        for address in (
            f"/boards/{said}x/{DAY}/",
            f"/boards/x/{said}/",
            f"/boards/?trader={said}&day={said}&market={said}",
            f"/boards/?trader={said}",
            f"/api/v1/prices/{said}/{DAY}/{said}",
            f"/history/?trader={said}&from={said}&to={said}",
            f"/accounts/login/?next={said}",
            f"/admin/trades/trade/{said}/change/",
            f"/admin/login/?next={said}",
            f"/{said}",
        ):
            judged(client.get(address))
        judged(client.post("/accounts/login/", {"username": text, "password": text, "next": text}))
        judged(client.post("/language/", {"language": text, "next": text}))


def test_every_address_of_the_matrix_survives_hostile_questions(client: Client) -> None:
    create_trader_login(trader_id="trader_1", username="anna", password=PASSWORD)
    client.force_login(a_superuser())
    world = rows_to_look_at()
    for row in http_rows():
        if not row.address.startswith(("/accounts/logout", "/admin/logout")):
            judged(client.get(address_of(row, world), {"market": MARKUP, "page": "\0", "o": "1.-2'", "show": MARKUP}))


def test_logs_are_one_json_line_an_event_and_metrics_name_nobody(
    client: Client, root: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    import structlog

    said = io.StringIO()
    handlers = [handler for handler in logging.getLogger().handlers if type(handler) is logging.StreamHandler]
    for handler in handlers:
        monkeypatch.setattr(handler, "stream", said)
    log = structlog.get_logger("hostile")
    for text in SPEECH:
        log.warning("said", text=text, **{"key": text})
        client.get(f"/boards/{quote(text, safe='')}/{DAY}/")
    lines = [line for line in said.getvalue().split("\n") if '"event": "said"' in line]
    assert [json.loads(line)["text"] for line in lines] == SPEECH
    assert not any(character in line for line in lines for character in "\x1b\r\0\u2028")
    text = client.get("/metrics").content.decode()
    assert "<script" not in text
    assert "HYPERLINK" not in text


async def test_a_push_carries_hostile_text_as_text() -> None:
    def world() -> dict[str, str]:
        germany()
        store(confirmation(MARKUP, trader_id=MARKUP))
        user = create_trader_login(trader_id=MARKUP, username="t", password=PASSWORD)
        ensure_trader(trader_id=MARKUP)
        assert TraderLogin.objects.filter(user=user).exists()
        client = Client()
        client.force_login(user)
        return {"cookie": "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())}

    communicator = socket(f"/ws/boards/{quote(MARKUP, safe='')}/{DAY}/", await sync_to_async(world)())
    assert (await communicator.connect())[0]
    await communicator.send_to(text_data='{"have": "0"}')
    message = json.loads(await communicator.receive_from(5))
    reader = Reader()
    reader.feed("".join(message["parts"].values()))
    assert reader.bad == []
    await communicator.disconnect()
