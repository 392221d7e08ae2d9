"""A receiver that hangs, drips or fails costs its own user's lane alone: others' alerts arrive at once."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest
from pytest_django import Settings

from dashboard.alerts import webhooks
from dashboard.alerts.delivering import Lanes
from dashboard.alerts.models import AlertDelivery
from dashboard.rounds import Rounds
from market import clock
from tests.dashboard.alerts.test_webhooks import Receiver, due, receiver
from tests.dashboard.people import a_trader
from tests.processes import wait_until

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]
AT_ONCE = 2.0
"""Seconds from its cause to an alert's arrival."""
__all__ = ["receiver"]


@pytest.fixture
def hung() -> Iterator[str]:
    """Takes connections and never answers."""
    with ExitStack() as stack:
        listening = stack.enter_context(closing(socket.create_server(("127.0.0.1", 0))))
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"


@pytest.fixture
def lanes() -> Iterator[Lanes]:
    made = Lanes()
    yield made
    made.close()
    wait_until(lambda: not made.busy, "the lanes to end")


def test_receivers_that_hang_delay_no_other(
    hung: str, receiver: str, lanes: Lanes, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.ALERT_PRIVATE_WEBHOOKS = True
    monkeypatch.setattr(webhooks, "PATIENCE", 3.0)
    slow = [due(hung, user=a_trader(f"trader_{number}", f"user-{number}")) for number in range(8)]
    lanes.begin()
    wait_until(lambda: AlertDelivery.objects.filter(attempts=1).count() == len(slow), "eight that hang")
    row, began = due(receiver, user=a_trader("trader_9", "anna")), time.monotonic()
    lanes.begin()
    wait_until(lambda: AlertDelivery.objects.get(pk=row.pk).done_at, "the ninth")
    took = time.monotonic() - began
    assert took < AT_ONCE
    assert not AlertDelivery.objects.filter(pk__in=[one.pk for one in slow]).exclude(error="").exists(), "still hanging"
    wait_until(lambda: AlertDelivery.objects.filter(error="timed out").count() == len(slow), "the others' time-outs")
    assert len(Receiver.got) == 1


def test_what_comes_while_a_lane_is_busy_follows_at_once(receiver: str, lanes: Lanes, settings: Settings) -> None:
    settings.ALERT_PRIVATE_WEBHOOKS = True
    first = due(receiver)
    lanes.begin()
    AlertDelivery.objects.create(alert=first.alert, channel="webhook", next_at=first.next_at)
    lanes.begin()
    wait_until(lambda: AlertDelivery.objects.exclude(done_at=None).count() == 2, "both")


def test_a_round_waits_for_no_receiver(hung: str, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.ALERT_PRIVATE_WEBHOOKS = True
    monkeypatch.setattr(webhooks, "PATIENCE", 3.0)
    row, rounds = due(hung), Rounds()
    began = time.monotonic()
    rounds.do_one()
    assert time.monotonic() - began < AT_ONCE
    rounds.stop()
    wait_until(lambda: AlertDelivery.objects.get(pk=row.pk).error, "its time-out")
    wait_until(lambda: not rounds.lanes.busy, "the lane to end")


def test_who_answers_byte_by_byte_is_cut_off(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "LONGEST", 0.5)
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        threading.Thread(target=_drip, args=(listening,), daemon=True).start()
        began = time.monotonic()
        with pytest.raises((OSError, http.client.HTTPException)):
            webhooks.post(
                url=f"http://127.0.0.1:{listening.getsockname()[1]}/",
                secret="s",
                body={},
                now=clock.now(),
                private=True,
            )
    assert time.monotonic() - began < 3


def _drip(listening: socket.socket) -> None:
    connection, _ = listening.accept()
    ended = threading.Event()
    with closing(connection):
        while not ended.wait(0.05):
            try:
                connection.sendall(b"H")
            except OSError:
                return
