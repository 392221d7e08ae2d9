"""The page of assumptions: withdrawing, in time and too late."""

from __future__ import annotations

import pytest
import time_machine
from django.test import Client

from dashboard.assumptions.models import Withdrawal
from tests.dashboard.assumptions.written import GATE, MINUTE, NOW, written
from tests.dashboard.people import a_trader
from tests.trades.frames import germany

pytestmark = [pytest.mark.integration, pytest.mark.django_db]


def test_withdrawing_is_offered_and_taken_until_the_first_gate(client: Client) -> None:
    germany()
    user = a_trader()
    client.force_login(user)
    assumption = written(user, delivery_hours=["12-13", "13-14"])
    address = f"/assumptions/{assumption.pk}/withdraw/"
    with time_machine.travel(GATE, tick=False):
        assert address not in client.get("/assumptions/").content.decode(), "its other gate is open still"
        late = client.post(address)
    assert late.status_code == 409
    assert "A gate is closed: it can" in late.content.decode()
    assert not Withdrawal.objects.exists()
    with time_machine.travel(NOW + MINUTE, tick=False):
        assert address in client.get("/assumptions/").content.decode()
        assert client.post(address).status_code == 302
        assert address not in client.get("/assumptions/").content.decode()
        again = client.post(address)
    assert (again.status_code, Withdrawal.objects.count()) == (409, 1)
    assert "already" in again.content.decode()
