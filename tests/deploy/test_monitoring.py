"""Alerts and dashboard: each alert leads to a runbook and is tested, and what they name is in /metrics.

That each alert fires and stays quiet is promtool's to say, in a stage of its own (local/checks/promtool.py).
"""

from __future__ import annotations

import json
import re
from typing import Any
from unittest.mock import patch

import pytest
import yaml
from django.test import Client
from django.utils import timezone
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from market.models import ClockReport
from market.statements.standby import StandbyState, Trouble, standby
from prices.models import ProviderRequest, ReferencePriceHistory
from reporting import job_status
from tests.processes import ROOT
from tests.trades.frames import confirmation, germany
from trades.frames import FrameSource, JournalFrame
from trades.ledger.store import store_frames
from trades.models import FeedConnection

FOLDER = ROOT / "deploy" / "monitoring"
GROUPS = yaml.load((FOLDER / "alerts.yml").read_text(), Loader=yaml.CSafeLoader)["groups"]
RULES: list[dict[str, Any]] = [rule for group in GROUPS for rule in group["rules"]]
ALERTS = {rule["alert"]: rule for rule in RULES if "alert" in rule}
RECORDED = {rule["record"] for rule in RULES if "record" in rule}
DASHBOARD: dict[str, Any] = json.loads((FOLDER / "dashboard.json").read_text())
GUIDE = (ROOT / "docs" / "monitoring.md").read_text()
SHOWN = [target["expr"] for panel in DASHBOARD["panels"] for target in panel.get("targets", [])]
FROM_PROMETHEUS = {"up"}


def names_in(expression: str) -> set[str]:
    """The metrics that an expression reads, recorded ones included."""
    without_labels = re.sub(r"\{[^}]*\}", "", expression)
    return set(re.findall(r"\b(?:desk|process)_\w+|\bdesk:[\w:]+|\bup\b", without_labels))


def cases() -> dict[str, set[bool]]:
    """Alert -> the kinds of its tests: True where it fires, False where it stays quiet."""
    found: dict[str, set[bool]] = {}
    for name in ("alerts.test.yml", "objectives.test.yml"):
        for test in yaml.safe_load((FOLDER / name).read_text())["tests"]:
            for rule in test["alert_rule_test"]:
                found.setdefault(rule["alertname"], set()).add(bool(rule["exp_alerts"]))
    return found


def test_every_alert_has_a_test_in_which_it_fires_and_one_in_which_it_stays_quiet() -> None:
    assert set(cases()) == set(ALERTS)
    for name, kinds in cases().items():
        assert kinds == ({True} if name == "Watchdog" else {True, False}), name


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_says_what_is_wrong_how_urgent_it_is_and_what_to_do(name: str) -> None:
    rule = ALERTS[name]
    assert rule["labels"]["severity"] in {"page", "ticket"} or name == "Watchdog"
    assert rule["annotations"]["summary"] or name == "Watchdog"
    assert (ROOT / rule["annotations"]["runbook"]).is_file()
    assert f"`{name}`" in GUIDE


def test_objectives_burn_fast_and_slowly() -> None:
    for objective in ("Availability", "Screen", "Capture", "Price"):
        assert {f"{objective}BurnsFast", f"{objective}BurnsSlow"} <= set(ALERTS)


@pytest.mark.integration
@pytest.mark.django_db
def test_what_alerts_and_dashboard_name_is_in_the_metrics(client: Client) -> None:
    there = {sample.name for family in everything_that_happens(client) for sample in family.samples}
    for rule in RULES:
        assert names_in(rule["expr"]) <= there | RECORDED | FROM_PROMETHEUS, rule
    for expression in SHOWN:
        assert names_in(expression) <= there | RECORDED, expression


@pytest.mark.integration
@pytest.mark.django_db
def test_every_metric_is_explained_and_named_by_the_conventions(client: Client) -> None:
    for family in everything_that_happens(client):
        if family.name.startswith("process_"):
            continue
        assert re.fullmatch(r"desk_[a-z0-9]+(_[a-z0-9]+)*", family.name)
        assert family.documentation, family.name
        assert f"`{family.name}{'_total' if family.type == 'counter' else ''}`" in GUIDE, family.name


def everything_that_happens(client: Client) -> list[Metric]:
    """All metrics, after one of everything has happened."""
    market, now = germany(), timezone.now()
    FeedConnection.objects.create(market=market, listener="l", connected_at=now, alive_at=now, last_frame_at=now)
    refused = [JournalFrame(number, now, confirmation(number, price=None)) for number in range(2, 9)]
    store_frames(market=market, source=FrameSource("j", "l"), frames=[JournalFrame(1, now, confirmation(1)), *refused])
    period = {"market": market, "delivery_start": now, "delivery_end": now}
    ProviderRequest.objects.create(**period, sent_at=now, finished_at=now, outcome="newer")
    ReferencePriceHistory.objects.create(
        **period, delivery_day=now.date(), delivery_hour="08-09", value=1, last_update=now, arrived_at=now
    )
    job_status.note("prices.tasks.chase_reference_prices")
    ClockReport.objects.create(process="worker a 7", ahead=-300, seen_at=now)
    with patch.object(standby, "state", return_value=StandbyState(Trouble.LATE, 5)):
        return list(text_string_to_metric_families(client.get("/metrics").content.decode()))


def test_the_dashboard_can_be_imported() -> None:
    assert DASHBOARD["uid"] == "desk"
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for panel in panels:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        assert panel["title"]
        assert panel["type"] == "row" or panel["targets"]


def test_the_watchdog_reaches_the_outside_every_minute() -> None:
    settings = yaml.safe_load((FOLDER / "alertmanager.yml").read_text())
    (route,) = [r for r in settings["route"]["routes"] if 'alertname="Watchdog"' in r["matchers"]]
    assert route["repeat_interval"] == "1m"
    receivers = {receiver["name"] for receiver in settings["receivers"]}
    assert {settings["route"]["receiver"], *(r["receiver"] for r in settings["route"]["routes"])} == receivers
