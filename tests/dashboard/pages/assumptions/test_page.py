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


def test_a_refused_form_comes_back_as_it_was_sent(client: Client) -> None:
    germany()
    client.force_login(a_trader())
    sent = {
        "market": "DE",
        "delivery_day": "2026-11-24",
        "delivery_hours": "foo",
        "claim": "down",
        "threshold": "1,5",
        "confidence": "70",
        "quantity": "12",
        "broken_at": "4",
        "tags": 'wind, "north"',
        "reason": "the front is <late>",
    }
    with time_machine.travel(NOW, tick=False):
        answer = client.post("/assumptions/", sent)
    form = answer.content.decode().partition('id="write"')[2].partition("</details>")[0]
    assert answer.status_code == 400
    assert '<p class="error" role="alert">' in form, "beside what it is about, where news leaves it alone"
    for value in ("2026-11-24", "foo", "1,5", "70", "12", "4", "wind, &quot;north&quot;"):
        assert f'value="{value}"' in form
    assert 'value="down" required checked' in form
    assert "the front is &lt;late&gt;</textarea>" in form
