"""The channel layer: messages come at once, and while there are none nobody looks for them."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import pytest
from channels.layers import get_channel_layer
from django.conf import settings
from redis.asyncio.client import PubSub

from local.simulators.fault_proxy import Mode
from reporting import machines
from reporting.adapted import hints_layer
from tests.drills.rig.machine import machine_of
from tests.processes import PATIENCE

pytestmark = pytest.mark.integration


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long each look for a message was to wait (seconds)."""
    found: list[float] = []
    look = PubSub.get_message

    async def noted(self: PubSub, ignore: bool = False, timeout: float | None = 0.0) -> Any:
        found.append(timeout or 0.0)
        return await look(self, ignore, timeout)

    monkeypatch.setattr(PubSub, "get_message", noted)
    return found


async def test_a_message_ends_the_wait_and_no_look_is_short(looks: list[float]) -> None:
    layer: Any = get_channel_layer()
    channel = await layer.new_channel()
    await layer.group_add("a group", channel)
    try:
        async with asyncio.timeout(hints_layer.LONGEST_WAIT * 0.8):
            for number in range(5):
                await layer.group_send("a group", {"type": "news", "number": number})
                assert (await layer.receive(channel))["number"] == number
    finally:
        await layer.flush()
    assert set(looks) == {hints_layer.LONGEST_WAIT}
    assert len(looks) < 20  # the answers to the subscriptions, and a message each


async def test_who_subscribes_while_another_waits_hears_at_once(looks: list[float]) -> None:
    layer: Any = get_channel_layer()
    one, two = await layer.new_channel(), ""
    await layer.group_add("one", one)
    waiting = asyncio.create_task(layer.receive(one))
    try:
        async with asyncio.timeout(hints_layer.LONGEST_WAIT * 0.8):
            await asyncio.sleep(0)
            two = await layer.new_channel()
            await layer.group_add("two", two)
            await layer.group_send("two", {"type": "news", "of": "two"})
            assert (await layer.receive(two))["of"] == "two"
            assert not waiting.done()
            await layer.group_send("one", {"type": "news", "of": "one"})
            assert (await waiting)["of"] == "one"
    finally:
        await layer.flush()
    assert looks


@pytest.mark.skipif(sys.platform != "linux", reason="a machine that goes needs Linux' socket filters")
@pytest.mark.timeout(2 * PATIENCE)  # without a pause, asyncio's own time-out does not come to its turn either
async def test_a_machine_that_is_gone_is_noticed_and_its_successor_heard(looks: list[float]) -> None:
    """TCP alone ends its connection. Whoever took that for silence would ask again and again without a pause."""
    there: Any = get_channel_layer()
    with machine_of(settings.REDIS_URL.partition("?")[0]) as machine:
        address = f"redis://127.0.0.1:{machine.port}/0"
        host = {"address": address, "socket_connect_timeout": 1, **machines.for_redis(address)}
        layer = hints_layer.PatientChannelLayer(hosts=[host], prefix=there.prefix)
        channel = await layer.new_channel()
        await layer.group_add("a group", channel)
        hearing = asyncio.create_task(layer.receive(channel))
        machine.switch(Mode.GONE)
        machine.switch(Mode.PASS)
        try:
            async with asyncio.timeout(PATIENCE):
                while not hearing.done():
                    await there.group_send("a group", {"type": "news"})
                    await asyncio.wait([hearing], timeout=0.05)
        finally:
            await layer.flush()
            await there.flush()
    assert len(looks) < 20
