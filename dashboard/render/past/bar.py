"""The bar above a board of a past moment: which moment, on which basis, and where the steps lead."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from dashboard.figures.board import Board
from dashboard.figures.past import Basis, Marks, Past, microseconds
from dashboard.render import formatting as fmt
from dashboard.render.addresses import at_moment
from dashboard.render.past.marks import columns, path

SPEEDS = (1, 10, 60, 600)
_SETTLING = timedelta(minutes=30)
"""After the last gate closure the final prices come."""


@dataclass(frozen=True, slots=True)
class Step:
    """A link to another moment of the same board."""

    title: str
    address: str
    here: bool = False


@dataclass(frozen=True, slots=True)
class PastBar:
    """Addresses are the shown page's own at other moments; `first`, `last` and `value` are ms since 1970."""

    moment: str
    title: str
    bases: tuple[Step, ...]
    before: str
    after: str
    now: str
    first: int
    last: int
    value: int
    trades: str
    publications: str
    words: str
    speeds: tuple[int, ...] = SPEEDS


def past_bar(board: Board, marks: Marks, address: str, *, now: datetime) -> PastBar:
    """`address` is the shown page's, without a moment."""
    past = board.past
    assert past is not None
    first, last = span_of(board, marks, now)
    span = microseconds(first), microseconds(last)
    before, after = marks.around(past.moment)
    local = past.moment.astimezone(board.market.people_zone(board.delivery_day))
    return PastBar(
        moment=fmt.utc(past.moment),
        title=f"{fmt.day_title(local.date())} {local:%H:%M:%S}",
        bases=tuple(
            Step(title, at_moment(address, Past(past.moment, basis)), basis is past.basis)
            for basis, title in ((Basis.KNOWN, _("as known")), (Basis.HAPPENED, _("as it was")))
        ),
        before=at_moment(address, Past(before, past.basis)) if before else "",
        after=at_moment(address, Past(after, past.basis)) if after else "",
        now=address,
        first=_ms(first),
        last=_ms(last),
        value=_ms(past.moment),
        trades=path(columns(marks.trades, *span)),
        publications=path(columns(marks.publications, *span)),
        words=_("%(trades)s trades and decisions, %(publications)s publications")
        % {"trades": fmt.count(len(marks.trades)), "publications": fmt.count(len(marks.publications))},
    )


def span_of(board: Board, marks: Marks, now: datetime) -> tuple[datetime, datetime]:
    """From when to when (UTC) the slider goes: from the first mark until all was final, the shown moment within."""
    assert board.past is not None
    moment = board.past.moment
    gates = [row.gate_closes_at for row in board.rows]
    first = min(moment, marks.first or moment)
    last = min(now, max(gates, default=now) + _SETTLING)
    return first, max(moment, last, first + timedelta(minutes=1))


def entry_moment(board: Board) -> datetime:
    """Where stepping back begins (UTC): at the last full ten minutes, or when the day's last gate closed."""
    last = max((row.gate_closes_at for row in board.rows), default=board.as_of)
    now = board.as_of.replace(minute=board.as_of.minute // 10 * 10, second=0, microsecond=0)
    return min(now, last)


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
