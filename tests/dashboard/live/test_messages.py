"""What an open page is told: only what it lacks, and everything when a row is gone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from dashboard.live.messages import News, message, news_between, news_since

OLD = {"feed-states": "<i>1</i>", "row": "<b>1</b>", "other": "<b>2</b>"}
NEW = {**OLD, "row": "<b>9</b>"}


def test_what_a_page_of_a_version_lacks() -> None:
    assert news_since("1.0-a", "1.0-a", OLD) == News("1.0-a", {"feed-states": "<i>1</i>"}, "1.0-a")
    assert news_since("0.9-z", "1.0-a", OLD) == News("1.0-a", OLD)


def test_what_has_changed_from_one_rendering_to_the_next() -> None:
    assert news_between("1.0-a", OLD, "2.0-b", NEW) == News("2.0-b", {"row": "<b>9</b>"}, "1.0-a")
    assert news_between("1.0-a", OLD, "1.0-a", dict(OLD)) is None
    added = {**OLD, "new": "<b>3</b>"}
    assert news_between("1.0-a", OLD, "2.0-b", added) == News("2.0-b", {"new": "<b>3</b>"}, "1.0-a")


def test_a_row_that_is_gone_makes_all_of_it_news() -> None:
    left = {name: html for name, html in NEW.items() if name != "other"}
    assert news_between("1.0-a", OLD, "2.0-b", left) == News("2.0-b", left)


def test_as_it_travels() -> None:
    now = datetime(2026, 11, 28, 12, tzinfo=UTC)
    news = News("2.0-b", {"row": "<b>9</b>"}, "1.0-a")
    assert message(news, now=now, right=now - timedelta(seconds=1.5), today="2026-11-28", app="1") == {
        "version": "2.0-b",
        "since": "1.0-a",
        "now": "2026-11-28T12:00:00.000Z",
        "today": "2026-11-28",
        "app": "1",
        "right": "2026-11-28T11:59:58.500Z",
        "trouble": "",
        "assumptions": "",
        "parts": {"row": "<b>9</b>"},
    }
