"""Open gaps of the feed on the boards: in plain words, live, until somebody closes them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from dashboard.figures.feed_status import MOST_GAPS, Gap, load_feeds
from dashboard.render.board import page_version, render_parts
from dashboard.render.feed_status import render_feed_states
from tests.dashboard.boards import a_board, the_feeds
from tests.dashboard.people import a_trader
from tests.trades.frames import NOW, germany
from trades.feed.connections import ListenerHealth, close_connection, open_connection, record_gaps
from trades.ledger.decisions import close_gap
from trades.models import FeedGap
from trades.signals import feed_changed

START = datetime(2023, 2, 6, 9, 31, 7, tzinfo=UTC)


def shown(*starts: datetime, seconds: float = 5) -> str:
    """The feeds' states with gaps that began at these moments, newest first."""
    gaps = tuple(Gap(start, start + timedelta(seconds=seconds)) for start in starts)
    return render_feed_states(replace(the_feeds(), gaps=gaps))


def test_without_gaps_nothing_is_said() -> None:
    assert "gap" not in shown()


def test_one_gap() -> None:
    html = shown(START)
    assert '<p id="gaps" class="gaps" data-level="late"><b>1 gap</b>' in html
    assert '<time datetime="2023-02-06T09:31:07Z" data-shows="day">6 Feb 09:31:07 UTC</time>–' in html
    assert '–<time datetime="2023-02-06T09:31:12Z" data-shows="seconds">09:31:12 UTC</time>' in html
    assert "</small> <small>compare with its file</small>" in html
    assert "earlier" not in html


def test_several_gaps_name_the_newest_and_count_the_rest() -> None:
    html = shown(START, START - timedelta(hours=1))
    assert "<b>2 gaps <span>and 1 earlier</span></b>" in html
    many = shown(*(START - timedelta(minutes=n) for n in range(MOST_GAPS)))
    assert f"<b>{MOST_GAPS}+ gaps <span>and {MOST_GAPS - 1}+ earlier</span></b>" in many


def test_a_gap_of_days_names_the_day_of_its_end() -> None:
    html = shown(START, seconds=100_000)
    assert html.split('id="gaps"')[1].split("</p>")[0].count('data-shows="day"') == 2
    assert "7 Feb 13:17:47 UTC" in html


def test_gaps_alarm_nobody_about_the_figures() -> None:
    html = shown(START)
    assert 'data-stale=""' in html
    board, feeds = a_board(), the_feeds()
    with_gap = replace(feeds, gaps=(Gap(START, START + timedelta(seconds=1)),))
    assert not feeds.same_as(with_gap)
    assert with_gap.same_as(replace(with_gap, now=START))
    versions = {page_version(board, render_parts(board, states)) for states in (feeds, with_gap)}
    assert len(versions) == 1


@pytest.fixture
def heard() -> Any:
    """Every market of which was said that its feed changed."""
    markets: list[int] = []

    def hear(market_id: int, **_kwargs: Any) -> None:
        markets.append(market_id)

    feed_changed.connect(hear)
    yield markets
    feed_changed.disconnect(hear)


def cut_off() -> None:
    """A listener was connected for five seconds."""
    pk = open_connection(market=germany(), listener="l1", at=NOW)
    end = NOW + timedelta(seconds=5)
    close_connection(market=germany(), connection_pk=pk, at=end, health=ListenerHealth(at=end), reason="cut")


def connected_again() -> None:
    open_connection(market=germany(), listener="l1", at=NOW + timedelta(seconds=10))


@pytest.mark.integration
@pytest.mark.django_db(transaction=True)
def test_a_recorded_gap_is_announced_once_and_shown_until_it_is_closed(client: Client, heard: list[int]) -> None:
    cut_off()
    client.force_login(a_trader())
    board = "/boards/trader_1/2026-11-23/"
    assert "gaps" not in client.get(board).content.decode()
    connected_again()
    gap = FeedGap.objects.get()
    assert "<b>1 gap</b>" in client.get(board).content.decode()
    before = len(heard)
    assert record_gaps(market_id=germany().pk, now=NOW + timedelta(seconds=60)) == 0
    assert len(heard) == before, "nothing new, nothing to say"
    close_gap(gap=gap, note="compared", user=User.objects.get(), now=NOW)
    assert heard[before:] == [germany().pk]
    assert "gaps" not in client.get(board).content.decode()


@pytest.mark.integration
@pytest.mark.django_db(transaction=True)
def test_a_gap_that_is_found_later_is_announced(heard: list[int]) -> None:
    cut_off()
    connected_again()
    FeedGap.objects.all().delete()
    heard.clear()
    assert record_gaps(market_id=germany().pk, now=NOW + timedelta(seconds=12)) == 1
    assert heard == [germany().pk]


@pytest.mark.integration
@pytest.mark.django_db
def test_feeds_cost_the_same_however_many_gaps() -> None:
    market = germany()
    assert market.dated is market.dated, "the market's rules are read once"
    with CaptureQueriesContext(connection) as without:
        assert load_feeds(market=market, now=NOW).gaps == ()
    FeedGap.objects.bulk_create(
        FeedGap(market=market, started_at=NOW + timedelta(minutes=n), ended_at=NOW + timedelta(minutes=n, seconds=3))
        for n in range(150)
    )
    with CaptureQueriesContext(connection) as with_many:
        feeds = load_feeds(market=market, now=NOW)
    assert len(with_many) == len(without)
    assert len(feeds.gaps) == MOST_GAPS
    assert feeds.gaps[0].started_at == NOW + timedelta(minutes=149)
