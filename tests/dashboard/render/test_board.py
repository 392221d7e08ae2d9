"""A board's parts: the customer's figures, their meaning in attributes, and hostile data as mere text."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser

import pytest

from dashboard.figures.board import Board
from dashboard.render.board import page_version, render_parts
from dashboard.render.feed_status import render_feed_states
from prices.feed import StandstillReason as Why
from tests.dashboard.boards import MORNING, Traded, a_board, sketch, the_feeds

VOID = {"input", "meta", "link", "br"}


class Reader(HTMLParser):
    """Collects rows by delivery hour, and in each the figures: field -> (text, attributes)."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: dict[str, dict[str, tuple[str, dict[str, str | None]]]] = {}
        self.attributes: dict[str, dict[str, str | None]] = {}
        self._row = ""
        self._fields: list[str | None] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "tr":
            self._row = found.get("data-delivery-hour") or ""
            self.attributes[self._row] = found
        field = found.get("data-field")
        if field:
            self.rows.setdefault(self._row, {})[field] = ("", found)
        if tag not in VOID:
            self._fields.append(field)

    def handle_endtag(self, tag: str) -> None:
        self._fields.pop()

    def handle_data(self, data: str) -> None:
        field = self._fields[-1] if self._fields else None
        if field:
            text, attributes = self.rows[self._row][field]
            self.rows[self._row][field] = (text + data, attributes)


def read(board: Board) -> Reader:
    reader = Reader()
    reader.feed("".join(render_parts(board, the_feeds()).values()))
    assert not reader._fields, "every element is closed"
    return reader


def figure(board: Board, label: str, field: str) -> tuple[str, str | None, str | None]:
    """Text, exact value and trend of one figure."""
    text, attributes = read(board).rows[label][field]
    return text, attributes.get("data-value"), attributes.get("data-trend")


def sketch_board() -> Board:
    traded, references = sketch()
    return a_board(*traded, references=references)


@pytest.mark.parametrize(
    ("label", "average", "reference", "performance", "trend"),
    [
        ("12-13", "10.20", "9.80", "+0.40", "good"),
        ("13-14", "5.70", "8.90", "−3.20", "bad"),
        ("15-16", "25.00", "25.00", "+5.00", "good"),
    ],
)
def test_the_sketch(label: str, average: str, reference: str, performance: str, trend: str) -> None:
    board = sketch_board()
    assert figure(board, label, "average_price")[0] == average
    assert figure(board, label, "reference_price")[0] == reference
    assert figure(board, label, "performance")[::2] == (performance, trend)


def test_a_mixed_row_names_both_legs() -> None:
    board = sketch_board()
    assert figure(board, "15-16", "average_sell_price")[:2] == ("30.00", "30")
    assert figure(board, "15-16", "average_buy_price")[:2] == ("20.00", "20")
    assert "average_sell_price" not in read(board).rows["12-13"]


def test_the_total_is_the_sum() -> None:
    board = sketch_board()
    assert figure(board, "", "performance_eur") == ("+72.00", "72", "good")
    assert figure(board, "", "sold_mwh")[:2] == ("30.00", "30")
    assert figure(board, "", "net_mwh")[:2] == ("−20.00", "-20")
    assert figure(board, "", "trade_count")[:2] == ("4", "4")


def test_negative_prices() -> None:
    board = a_board(("12-13", "sell", "10", "-25"), references={"12-13": "-28"})
    assert figure(board, "12-13", "average_price")[:2] == ("−25.00", "-25")
    assert figure(board, "12-13", "performance") == ("+3.00", "3", "good")


def test_what_is_undefined_is_a_dash_without_a_colour() -> None:
    board = a_board(("12-13", "sell", "10", "25"))
    assert figure(board, "12-13", "reference_price")[:2] == ("—", "")
    assert figure(board, "12-13", "performance") == ("—", "", "none")
    assert figure(board, "13-14", "average_price")[:2] == ("—", "")
    assert figure(board, "13-14", "trade_count")[:2] == ("0", "0")
    assert "1 period with trades has no reference price yet" in render_parts(board, the_feeds())["summary"]


@pytest.mark.parametrize(
    ("day", "hours"),
    [(date(2026, 10, 25), 25), (date(2026, 10, 26), 24), (date(2027, 3, 28), 23)],
)
def test_clock_change_days_have_all_their_rows(day: date, hours: int) -> None:
    reader = read(a_board(day=day))
    labels = [label for label in reader.attributes if label]
    assert len(labels) == hours
    assert ("02-03A" in labels, "02-03B" in labels, "02-03" in labels) == (hours == 25, hours == 25, hours == 24)


def test_both_rows_of_a_doubled_hour_say_why_they_have_no_price() -> None:
    board = a_board(day=date(2026, 10, 25))
    rows = tuple(replace(row, is_unclear=row.delivery_hour.startswith("02-03")) for row in board.rows)
    parts = render_parts(replace(board, rows=rows), the_feeds())
    said = [name for name, html in parts.items() if "the provider does not say which of the two" in html]
    assert said == ["p-20261025T0000Z-60", "p-20261025T0100Z-60"]


def test_parts_are_named_by_their_start_and_length() -> None:
    parts = render_parts(a_board(("12:15-12:30", "buy", "1", "2")), the_feeds())
    assert {"feed-states", "summary", "total", "p-20230206T1100Z-60", "p-20230206T1115Z-15"} <= set(parts)
    for name, html in parts.items():
        assert re.match(rf'<\w+ id="{name}"', html)


def test_states_of_periods() -> None:
    reader = read(sketch_board())
    states = {label: attributes["data-state"] for label, attributes in reader.attributes.items() if label}
    assert (states["10-11"], states["11-12"], states["12-13"]) == ("closed", "next", "open")
    html = render_parts(sketch_board(), the_feeds())["p-20230206T1100Z-60"]
    assert '<time datetime="2023-02-06T10:55:00Z">11:55</time>' in html
    assert '<time datetime="2023-02-06T09:15:45Z">10:15</time>' in html


def test_a_closed_periods_reference_is_final() -> None:
    board = a_board(("08-09", "sell", "1", "2"), references={"08-09": "1"})
    html = render_parts(board, the_feeds())["p-20230206T0700Z-60"]
    assert ">final</time>" in html
    assert ">closed</time>" in html


def test_runs_without_trades_fold_but_never_the_next_to_close() -> None:
    parts = render_parts(a_board(("12-13", "sell", "1", "2"), references={"01-02": "-3", "02-03": "4"}), the_feeds())
    folded = {name for name, html in parts.items() if "data-folded" in html}
    assert "p-20230206T1000Z-60" not in folded, "11-12 is the next to close"
    assert len(folded) == 11 + 11
    first = parts["p-20230205T2300Z-60"]
    assert "00–11 · 11 periods without trades" in first
    assert "reference −3.00 to 4.00 €/MWh" in first
    assert 'class="fold"' not in parts["p-20230206T0000Z-60"]


def test_short_runs_and_empty_days_do_not_fold() -> None:
    two_left = [(f"{hour:02d}-{hour + 1:02d}", "sell", "1", "2") for hour in range(24) if hour not in (3, 4)]
    traded: list[Traded] = two_left
    assert "data-folded" not in "".join(render_parts(a_board(*traded), the_feeds()).values())
    empty = render_parts(a_board(), the_feeds())
    assert "data-folded" not in "".join(empty.values())
    assert "No trades for this day yet." in empty["summary"]
    past = render_parts(a_board(now=MORNING + timedelta(days=1), references={"01-02": "-3"}), the_feeds())
    assert "No trades on this day." in past["summary"], "a holiday"


def test_a_lost_exchange_says_since_when() -> None:
    html = render_feed_states(the_feeds(connected=False))
    assert 'data-stale="trades"' in html
    assert 'data-as-of="2023-02-06T09:15:43Z"' in html
    assert 'data-level="lost"><b>Exchange</b> <small>not connected since <time' in html


def test_a_silent_exchange_says_since_when() -> None:
    feeds = the_feeds(connected=False)
    html = render_feed_states(replace(feeds, exchange=replace(feeds.exchange, silent=True)))
    assert 'data-stale="trades"' in html
    assert 'data-why="the exchange does not answer"' in html
    assert 'data-level="lost"><b>Exchange</b> <small>no answer since <time' in html


@pytest.mark.parametrize(
    ("state", "words", "stale"),
    [
        ("ok", "next at", ""),
        ("late", "late since", ""),
        ("down", "no answer since", "prices"),
        ("none", "answers, but has no price", ""),
    ],
)
def test_the_price_feed_in_words(state: str, words: str, stale: str) -> None:
    html = render_feed_states(the_feeds(prices=state))
    assert words in html
    assert f'data-stale="{stale}"' in html


@pytest.mark.parametrize(
    ("why", "due", "words", "reason"),
    [
        (Why.UNUSABLE, timedelta(minutes=4), "answers can&#39;t be used since", "answers can&#39;t be used"),
        (Why.UNUSABLE, None, "answers, but has no price", "answers can&#39;t be used"),
        (Why.FUTURE, None, "times in the future since", "times are in the future"),
        (Why.REFUSED, None, "refuses requests since", "the price provider refuses requests"),
        (Why.UNASKED, None, "not asked since", "nobody asks the price provider"),
        (Why.SILENT, None, "no answer since", "the price provider does not answer"),
    ],
)
def test_a_board_says_why_prices_stand_still(why: Why, due: timedelta | None, words: str, reason: str) -> None:
    feeds = the_feeds(prices="down")
    state = replace(feeds.prices, why=why, next_publication_at=due and feeds.now + due)
    html = render_feed_states(replace(feeds, prices=state))
    assert words in html
    assert reason in html


def test_a_publication_that_is_late_says_so_and_whether_it_can_be_asked_for() -> None:
    feeds = the_feeds(prices="late")
    assert "late since" in render_feed_states(feeds)
    state = replace(feeds.prices, why=Why.USED_UP)
    assert "requests used up, late since" in render_feed_states(replace(feeds, prices=state))


def test_nothing_known_of_the_feeds() -> None:
    feeds = the_feeds(connected=False, prices="down")
    html = render_feed_states(feeds)
    assert 'data-stale="trades prices"' in html
    assert "exchange and prices are not connected" in html


def test_the_same_board_is_the_same_text_and_version() -> None:
    one, other = sketch_board(), sketch_board()
    parts = render_parts(one, the_feeds())
    assert parts == render_parts(other, the_feeds())
    assert page_version(one, parts) == page_version(other, render_parts(other, the_feeds(connected=False)))


def test_the_version_changes_with_the_figures_and_with_a_gate_closing() -> None:
    traded, references = sketch()
    later = datetime(2023, 2, 6, 11, 0, tzinfo=UTC)
    boards = [
        a_board(*traded, references=references),
        a_board(*traded, references={**references, "12-13": "9.9"}),
        a_board(*traded, references=references, now=later),
    ]
    versions = {page_version(board, render_parts(board, the_feeds(now=MORNING))) for board in boards}
    assert len(versions) == 3
    assert {version.split("-")[0] for version in versions} == {"4.3"}
