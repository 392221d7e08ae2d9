"""What an open page is told, over its websocket or as the answer to a plain request: one form for both. Pure.

`parts` has the HTML of elements by their id. With `since` they are what a page of that version is missing, and mean
nothing to a page of another one; without it they are all that the board has, and nothing else belongs on the page.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dashboard.render.feed_status import FEED_STATES


@dataclass(frozen=True, slots=True)
class News:
    """The parts that a page needs to show `version`."""

    version: str
    parts: Mapping[str, str]
    since: str = ""


def news_since(have: str, version: str, parts: Mapping[str, str]) -> News:
    """What a page that shows `have` needs; the feeds' states are no part of the version."""
    if have == version:
        return News(version, {FEED_STATES: parts[FEED_STATES]}, have)
    return News(version, parts)


def news_between(before: str, old: Mapping[str, str], version: str, parts: Mapping[str, str]) -> News | None:
    """What has changed from one rendering to the next, if anything has. A row that is gone makes all of it news."""
    if old.keys() - parts.keys():
        return News(version, parts)
    changed = {name: html for name, html in parts.items() if old.get(name) != html}
    return News(version, changed, before) if changed else None


def message(
    news: News, *, now: datetime, right: datetime, today: str, app: str, trouble: str = "", assumptions: str = ""
) -> dict[str, Any]:
    """As it travels. `right`: when the figures were last known to be so; `trouble`: why they are not, now (UTC).

    `assumptions` is another text whenever those of the board's day may be others: a page then asks for its own.
    """
    return {
        "version": news.version,
        "since": news.since,
        "now": _iso(now),
        "today": today,
        "app": app,
        "right": _iso(right),
        "trouble": trouble,
        "assumptions": assumptions,
        "parts": dict(news.parts),
    }


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
