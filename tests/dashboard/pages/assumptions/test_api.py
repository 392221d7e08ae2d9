"""GET and POST /api/v1/assumptions: the JSON that other tools rely on, and one sentence for whatever is wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client

from dashboard.assumptions.models import AssumedPeriod, Assumption
from tests.dashboard.assumptions.written import DAY, GATE, MINUTE, NOW, publish, said, written
from tests.dashboard.people import a_head, a_trader
from tests.trades.frames import germany

pytestmark = [pytest.mark.integration, pytest.mark.django_db]
ADDRESS = "/api/v1/assumptions"


@pytest.fixture
def anna(client: Client) -> User:
    germany()
    user = a_trader()
    client.force_login(user)
    return user


def post(client: Client, words: Any, *, at: Any = NOW) -> Any:
    body = words if isinstance(words, str | bytes) else json.dumps(words)
    with time_machine.travel(at, tick=False):
        return client.post(ADDRESS, body, content_type="application/json")


def test_written_frozen_open_and_judged(client: Client, anna: User, django_capture_on_commit_callbacks: Any) -> None:
    publish("50.1", NOW - 20 * MINUTE)
    publish("51.25", NOW - 10 * MINUTE)
    answer = post(
        client, said(delivery_hours=["12-13", "13-14"], threshold=0.5, confidence=60, tags=["wind"], reason="<b>x")
    )
    assert answer.status_code == 201
    told = answer.json()
    assert told["trader_id"] == "trader_1"
    assert (told["created_at"], told["claim"], told["late"]) == ("2026-11-23T09:00:00Z", "up", False)
    first, second = told["periods"]
    assert first == {
        "delivery_hour": "12-13",
        "frozen_price": "51.25",
        "frozen_updated_at": "2026-11-23T08:50:00Z",
        "last_change": "1.15",
        "final_price": None,
        "move": None,
        "verdict": "open",
    }
    assert (second["verdict"], second["frozen_price"]) == ("waiting", None)
    with django_capture_on_commit_callbacks(execute=True):
        publish("50.75", GATE + MINUTE)
    one = client.get(f"{ADDRESS}/{told['id']}").json()
    assert (one["periods"][0]["final_price"], one["periods"][0]["move"]) == ("50.75", "-0.5")
    assert one["periods"][0]["verdict"] == "wrong"
    listed = client.get(ADDRESS).json()
    assert listed["assumptions"] == [one]
    assert listed["rates"] == {
        "judged": 1,
        "right": 0,
        "rate": "0.0000000000",
        "low": "0.0000000000",
        "high": "0.7934506856",
        "baseline_rate": "0.0000000000",
        "excess": "0.0000000000",
    }


def test_a_range_is_one_assumption_over_each_of_its_hours(client: Client, anna: User) -> None:
    told = post(client, said(delivery_hours=["17-20"], claim="within", threshold="2.5")).json()
    assert [period["delivery_hour"] for period in told["periods"]] == ["17-18", "18-19", "19-20"]
    long_day = post(client, said(delivery_day="2027-10-31", delivery_hours=["01-04"])).json()
    assert [p["delivery_hour"] for p in long_day["periods"]] == ["01-02", "02-03A", "02-03B", "03-04"]
    until_three = post(client, said(delivery_day="2027-10-31", delivery_hours=["01-03"])).json()
    assert [p["delivery_hour"] for p in until_three["periods"]] == ["01-02", "02-03A", "02-03B"]
    short_day = post(client, said(delivery_day="2027-03-28", delivery_hours=["01-04"])).json()
    assert [p["delivery_hour"] for p in short_day["periods"]] == ["01-02", "03-04"]
    evening = post(client, said(delivery_hours=["22-00", "12:15-12:30"])).json()
    assert [p["delivery_hour"] for p in evening["periods"]] == ["12:15-12:30", "22-23", "23-24"]


@pytest.mark.parametrize(
    "changes",
    [
        {"delivery_hours": []},
        {"delivery_hours": ["25-26"]},
        {"delivery_hours": [["12-13"]]},
        {"delivery_hours": None},
        {"delivery_hours": ["12-13"] * 101},
        {"delivery_hours": ["02-03"], "delivery_day": "2027-10-31"},
        {"delivery_hours": ["02-03"], "delivery_day": "2027-03-28"},
        {"delivery_day": "yesterday"},
        {"delivery_day": 5},
        {"delivery_day": "2026-02-30"},
        {"market": "XX"},
        {"market": ["DE"]},
        {"claim": "sideways"},
        {"claim": None},
        {"claim": "within"},
        {"claim": "above"},
        {"threshold": "NaN"},
        {"threshold": "x"},
        {"threshold": True},
        {"threshold": -1},
        {"threshold": "-0.01", "claim": "within"},
        {"threshold": 1e300},
        {"threshold": "1.23456"},
        {"threshold": [1]},
        {"confidence": 49},
        {"confidence": 91},
        {"confidence": 60.5},
        {"confidence": "high"},
        {"quantity": 0},
        {"quantity": -3},
        {"broken_at": 0},
        {"tags": ["a", "b", "c", "d"]},
        {"tags": [str(n) for n in range(11)]},
        {"tags": ["x" * 31]},
        {"tags": ["a\0b"]},
        {"tags": {"a": 1}},
        {"reason": "x" * 10_000},
        {"reason": "a\0b"},
        {"reason": "\ud800"},
        {"reason": 5},
    ],
)
def test_what_is_unusable_is_refused_with_a_sentence(client: Client, anna: User, changes: dict[str, Any]) -> None:
    answer = post(client, said(**changes))
    assert answer.status_code == 400, answer.content
    error = answer.json()["error"]
    assert not error[0].islower()
    assert error.endswith(".")
    assert not Assumption.objects.exists()


@pytest.mark.parametrize(
    "body", ["", "[]", "nothing", b"\xff", '{"threshold": NaN}', "[" * 5000, '{"threshold": Infinity}']
)
def test_what_is_no_object_is_refused(client: Client, anna: User, body: str | bytes) -> None:
    assert post(client, body).status_code == 400
    assert not Assumption.objects.exists()


def test_too_late_is_409_and_nothing_half_stored(client: Client, anna: User) -> None:
    answer = post(client, said(delivery_hours=["12-13", "20-21"]), at=GATE + MINUTE)
    assert (answer.status_code, answer.json()) == (409, {"error": "The gate of 12-13 is closed."})
    assert not Assumption.objects.exists()
    assert not AssumedPeriod.objects.exists()
    assert post(client, said(), at=GATE - 5 * MINUTE).json()["late"] is True


def test_without_login_trader_or_token(client: Client) -> None:
    germany()
    assert post(client, said()).status_code == client.get(ADDRESS).status_code == 401
    client.force_login(a_head())
    assert post(client, said()).status_code == 404
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(a_trader())
    assert strict.post(ADDRESS, json.dumps(said()), content_type="application/json").status_code == 403
    token = strict.get("/accounts/password/").context["csrf_token"]
    with time_machine.travel(NOW, tick=False):
        headers = {"X-CSRFToken": str(token)}
        answer = strict.post(ADDRESS, json.dumps(said()), content_type="application/json", headers=headers)
    assert answer.status_code == 201
    for method in ("put", "patch", "delete"):
        for address in (ADDRESS, f"{ADDRESS}/{answer.json()['id']}"):
            assert getattr(strict, method)(address).status_code == 405
    assert strict.post(f"{ADDRESS}/{answer.json()['id']}").status_code == 405


def test_filters_and_pages(client: Client, anna: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashboard.pages.assumptions.api.PAGE", 2)
    for tags in (["a"], ["a", "b"], ["b"]):
        written(anna, tags=tags)
    written(anna, delivery_day="2026-11-24")

    def listed(**asked: str) -> Any:
        return client.get(ADDRESS, asked).json()

    first = listed()
    second = listed(cursor=first["cursor"])
    assert [len(first["assumptions"]), len(second["assumptions"]), second["cursor"]] == [2, 2, None]
    ids = [one["id"] for page in (first, second) for one in page["assumptions"]]
    assert ids == sorted(ids, reverse=True)
    assert first["rates"] == second["rates"]
    assert [one["tags"] for one in listed(tag="a")["assumptions"]] == [["a", "b"], ["a"]]
    assert len(listed(**{"from": "2026-11-24"})["assumptions"]) == 1
    assert len(listed(**{"to": DAY.isoformat(), "trader_id": "trader_1", "tag": "a"})["assumptions"]) == 2
    assert listed(tag="\0")["assumptions"] == []
    for wrong in ({"from": "x"}, {"cursor": "x"}, {"to": "2026-13-01"}):
        assert client.get(ADDRESS, wrong).status_code == 400
    assert client.get(ADDRESS, {"trader_id": "nobody"}).status_code == 404
    assert client.get(f"{ADDRESS}/{10**30}").status_code == 404
    assert listed(**{"from": "2030-01-01"})["rates"]["rate"] is None


def test_a_reason_reaches_no_log(client: Client, anna: User, capsys: Any, caplog: Any) -> None:
    secret = "the turbine of aunt Erna"
    assert post(client, said(reason=secret, tags=[secret[:20]])).status_code == 201
    assert post(client, said(reason=secret, claim="nothing")).status_code == 400
    assert post(client, said(reason=secret), at=GATE + MINUTE).status_code == 409
    told = capsys.readouterr()
    assert secret[:20] not in told.out + told.err + caplog.text + client.get("/metrics").content.decode()
    assert client.get("/assumptions/?from=2026-11-01&q=erna").content.decode().count(secret) == 1


def test_a_hostile_reason_is_text_everywhere(client: Client, anna: User) -> None:
    reason = "=1+1 <script>alert(1)</script> \u202ereversed"
    assert post(client, said(reason=reason)).status_code == 201
    page = client.get("/assumptions/?from=2026-11-01").content.decode()
    assert "<script>alert(1)" not in page
    assert "<bdi>=1+1 &lt;script&gt;" in page
    lines = b"".join(client.get("/assumptions/assumptions.csv?from=2026-11-01")).decode()  # type: ignore[call-overload]
    assert "'=1+1" in lines
