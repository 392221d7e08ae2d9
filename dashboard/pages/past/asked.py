"""`?as_of=` and `?basis=`: the moment that a board, the desk, an opened period or the API is asked for.

A moment is ISO 8601 with its zone: `2026-11-27T10:31:00Z`, or with an offset. Whatever can't be used is QueryError: one
sentence, 400.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from django.http import HttpRequest
from django.utils.translation import gettext as _

from dashboard.figures.past import Basis, Past, first_record
from dashboard.pages.requests import QueryError
from dashboard.render.formatting import utc
from market.models import Market

_MOMENT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?)(Z|[+ -]\d\d:\d\d)?", re.ASCII)
"""A plus sign that an address did not encode arrives as a space."""


def asked_past(request: HttpRequest, market: Market, now: datetime) -> Past | None:
    """The moment that is asked for, between the market's first record and `now`; None when none is."""
    text = request.GET.get("as_of")
    if text is None:
        return None
    moment, first = parse_moment(text), first_record(market)
    if moment > now:
        raise QueryError(_("This moment is still to come: “as_of” may be now at the latest."))
    if first is None:
        raise QueryError(_("Nothing is recorded of this market yet, so there is no moment to go back to."))
    if moment < first:
        told = utc(_full_second_from(first))
        raise QueryError(_("This moment is before the market's first record, of %(moment)s.") % {"moment": told})
    return Past(moment, _basis(request.GET.get("basis", Basis.KNOWN)))


def _full_second_from(moment: datetime) -> datetime:
    """The first that is not before it: what a sentence says is a moment that can be asked for."""
    return moment if moment.microsecond == 0 else moment.replace(microsecond=0) + timedelta(seconds=1)


def parse_moment(text: str) -> datetime:
    """A moment with its zone, in UTC; QueryError says what it lacks."""
    parts = _MOMENT.fullmatch(text)
    if parts is None:
        raise QueryError(_("“as_of” must be a moment like 2026-11-27T10:31:00Z."))
    if parts[2] is None:
        raise QueryError(_("“as_of” lacks its time zone: end it with Z, or with an offset like +01:00."))
    try:
        return datetime.fromisoformat(parts[1] + parts[2].replace("Z", "+00:00").replace(" ", "+")).astimezone(UTC)
    except (ValueError, OverflowError):
        raise QueryError(_("“as_of” names no moment that exists.")) from None


def _basis(word: str) -> Basis:
    if word not in tuple(Basis):
        raise QueryError(_("A past board is shown as it was known or as it happened: “known” or “happened”."))
    return Basis(word)
