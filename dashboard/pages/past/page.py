"""What the page of a past moment has beside a board's own: the bar that steps through the day."""

from __future__ import annotations

from datetime import datetime

from dashboard.figures.board import Board
from dashboard.figures.past import Past, load_marks
from dashboard.pages.frame import BoardFrame
from dashboard.render.addresses import at_moment, in_reading
from dashboard.render.formatting import utc
from dashboard.render.past.bar import PastBar, entry_moment, past_bar


def bar_of(shown: Board, frame: BoardFrame, now: datetime, here: str = "") -> PastBar | None:
    """The bar of a board, or of the desk, of a past moment; None of now. Two queries.

    `here` is the shown page's own address without a moment, where it is not the board's.
    """
    if shown.past is None:
        return None
    trader_pk = shown.trader.pk if shown.trader.trader_id else None
    marks = load_marks(market=shown.market, day=shown.delivery_day, until=now, trader_pk=trader_pk)
    return past_bar(shown, marks, here or in_reading(frame.address, shown.reading), now=now)


def asked_with(past: Past | None) -> dict[str, str]:
    """What an address of the same moment is asked with."""
    return {"as_of": utc(past.moment), "basis": past.basis.value} if past else {}


def way_back(shown: Board, frame: BoardFrame) -> str:
    """Where the page of now leads to step back in time."""
    return at_moment(in_reading(frame.address, shown.reading), Past(entry_moment(shown)))
