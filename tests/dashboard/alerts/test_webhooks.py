"""Webhooks: signed, to public addresses alone, tried again with growing pauses; nothing waits for a receiver."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from dashboard.alerts import webhooks
from dashboard.alerts.delivering import due_lanes, serve
from dashboard.alerts.models import Alert, AlertDelivery, AlertTarget
from dashboard.alerts.webhooks import RefusedAddressError, checked, public_address
from market import clock
from tests.dashboard.people import a_head, a_trader
from tests.trades.frames import germany

pytestmark = [pytest.mark.integration, pytest.mark.django_db]
FACTS = {"market": "DE"}


class Receiver(BaseHTTPRequestHandler):
    got: list[tuple[dict[str, str], bytes]] = []
    status = 204

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.got.append((dict(self.headers), body))
        self.send_response(self.status)
        self.end_headers()

    def log_message(self, *_arguments: Any) -> None:
        """Quiet."""


@pytest.fixture
def receiver() -> Iterator[str]:
    Receiver.got, Receiver.status = [], 204
    server = HTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/hook?a=1"
    server.shutdown()


def due(url: str, channel: str = "webhook", user: User | None = None) -> AlertDelivery:
    germany()
    user, now = user or a_trader(), clock.now()
    AlertTarget.objects.create(user=user, url=url, secret="s3cret")
    alert = Alert.objects.create(
        user=user, kind="price_late", subject="DE", facts=FACTS, level="alert", started_at=now, last_at=now
    )
    return AlertDelivery.objects.create(alert=alert, channel=channel, next_at=now)


def deliver() -> int:
    """All that is due, here and now."""
    return sum(serve(lane) for lane in due_lanes(clock.now()))


def test_what_arrives_is_signed(receiver: str, settings: Settings) -> None:
    settings.ALERT_PRIVATE_WEBHOOKS = True
    row = due(receiver)
    assert deliver() == 1
    ((headers, body),) = Receiver.got
    moment, digest = (part.partition("=")[2] for part in headers["X-Desk-Signature"].split(","))
    assert hmac.new(b"s3cret", f"{moment}.".encode() + body, hashlib.sha256).hexdigest() == digest
    assert json.loads(body)["sentence"] == "DE: reference prices are late."
    row.refresh_from_db()
    assert (row.next_at, row.attempts, row.error) == (None, 1, "")
    assert deliver() == 0, "once"


def test_a_failing_receiver_is_asked_again_later_and_later(receiver: str, settings: Settings) -> None:
    settings.ALERT_PRIVATE_WEBHOOKS = True
    Receiver.status = 500
    row = due(receiver)
    pauses = []
    for _ in range(3):
        assert deliver() == 0
        row.refresh_from_db()
        assert row.next_at is not None
        pauses.append(round((row.next_at - clock.now()).total_seconds(), -1))
        AlertDelivery.objects.update(next_at=clock.now())
    assert pauses == [10, 20, 40]
    assert row.error == "the receiver answered 500"


def test_a_private_address_is_refused_and_given_up(receiver: str, settings: Settings) -> None:
    row = due(receiver.replace("http:", "https:"))
    assert deliver() == 0
    row.refresh_from_db()
    assert (row.next_at, row.error) == (None, "a webhook may not go to a private address")
    assert Receiver.got == []


NO_ADDRESSES = ["http://example.com/", "ftp://example.com", "https://", "https://u:p@example.com/", "https://a:b/", "x"]
PRIVATE = "127.0.0.1,10.1.2.3,192.168.0.1,169.254.169.254,::1,fd00::1,::ffff:10.0.0.1,0.0.0.0,224.0.0.1"


@pytest.mark.parametrize("url", [*NO_ADDRESSES, "https://a b/"])
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(RefusedAddressError):
        checked(url, private=False)


@pytest.mark.parametrize("address", PRIVATE.split(","))
def test_what_is_private(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(0, 0, 0, "", ("93.184.216.34", 443)), (0, 0, 0, "", (address, 443))]
    monkeypatch.setattr(webhooks.socket, "getaddrinfo", lambda *_a, **_k: found)
    with pytest.raises(RefusedAddressError):
        public_address("sneaky.example", 443, private=False)
    monkeypatch.setattr(webhooks.socket, "getaddrinfo", lambda *_a, **_k: found[:1])
    assert public_address("example.com", 443, private=False) == "93.184.216.34"


def test_mail(settings: Settings, mailoutbox: list[Any]) -> None:
    settings.EMAIL_HOST = "mail.example"
    user = a_trader()
    user.email = "anna@desk.example"
    user.save()
    due("https://example.com/", "mail", user)
    assert deliver() == 1
    assert mailoutbox[0].to == ["anna@desk.example"]
    assert mailoutbox[0].body == "DE: reference prices are late."


def test_mail_that_is_not_set_up_is_given_up() -> None:
    row = due("https://example.com/", "mail")
    deliver()
    row.refresh_from_db()
    assert row.next_at is None


@pytest.mark.parametrize("channel", ["webhook", "mail"])
def test_nothing_goes_to_a_user_who_was_deactivated(
    receiver: str, settings: Settings, mailoutbox: list[Any], channel: str
) -> None:
    settings.ALERT_PRIVATE_WEBHOOKS, settings.EMAIL_HOST = True, "mail.example"
    user = a_trader()
    row = due(receiver, channel, user)
    user.email, user.is_active = "anna@desk.example", False
    user.save()
    assert deliver() == 0
    row.refresh_from_db()
    assert (row.next_at, row.done_at, row.error) == (None, None, "the user is deactivated")
    assert not (Receiver.got or mailoutbox)


@pytest.mark.parametrize(
    ("kind", "facts"), [("result_below", {"trader": "trader_2"}), ("frames_aside", {}), ("price_late", {})]
)
def test_nothing_goes_to_a_user_who_lost_the_right(
    receiver: str, settings: Settings, kind: str, facts: dict[str, str]
) -> None:
    settings.ALERT_PRIVATE_WEBHOOKS = True
    a_trader("trader_2", "ben")
    head = a_head()
    row = due(receiver, user=head)
    Alert.objects.update(kind=kind, facts={**FACTS, **facts})
    head.groups.clear()
    assert deliver() == 0
    row.refresh_from_db()
    assert (row.next_at, row.error) == (None, "the user may not see this any more")
    assert not Receiver.got
