"""GET /api/v1/events: what happens, as Server-Sent Events."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.utils.translation import gettext
from django.views.decorators.http import require_GET

from dashboard.access.standings import Standing, standing_of
from dashboard.events.store import Bounds, bounds
from dashboard.events.wire import number_in
from dashboard.live.event_streams import stream
from dashboard.live.open_sockets import guard
from dashboard.live.subscribers import MOST_STREAMS, TOO_MANY_STREAMS, Subscriber, audience_of
from dashboard.pages.programs.answers import RefusedError, need_known, need_login, refusing_as_json
from market import clock
from market.tables import unless_missing

TYPE = "text/event-stream"
SOON = {"Retry-After": "5"}


@require_GET
@refusing_as_json
def events(request: HttpRequest) -> HttpResponseBase:
    """Begins with what comes from now on, or after `Last-Event-ID` or `?after=`; goes on for as long as it is read.

    401 without a log-in or token, 404 for a login that sees nothing, 400 for what is no number, 410 for one whose
    events are forgotten, 429 for too many streams, 503 while an update has not brought the table.
    """
    need_login(request)
    standing = _standing(request)
    need_known(request, "after")
    begin = _begin(request)
    if not guard.has_room(user_pk=standing.user_pk, most=MOST_STREAMS):
        raise RefusedError(429, gettext(TOO_MANY_STREAMS), headers=SOON)
    subscriber = Subscriber(standing, after=begin, is_behind=_backpressure(request))
    return StreamingHttpResponse(stream(subscriber), content_type=TYPE, headers={"X-Accel-Buffering": "no"})


def _standing(request: HttpRequest) -> Standing:
    standing = standing_of(request, now=clock.now())
    if standing is None or audience_of(standing, shared=False, blind=False).is_empty:
        raise RefusedError(404, gettext("Your login does not belong to a trader."))
    return standing


def _begin(request: HttpRequest) -> int:
    """The number after which it begins. A browser that comes back asks with both: the header is the newer one."""
    asked = request.headers.get("Last-Event-ID") or request.GET.get("after")
    after = None if asked is None else number_in(asked)
    if asked is not None and after is None:
        raise RefusedError(400, gettext("“after” must be the number of an event."), field="after")
    kept = unless_missing(bounds, None)
    if kept is None:
        raise RefusedError(503, gettext("An update is under way; try again in a moment."), headers=SOON)
    begin = kept.start(after)
    if begin is None:
        raise _gone(kept)
    return begin


def _gone(kept: Bounds) -> RefusedError:
    """410: what there is, and how to begin again."""
    sentence = gettext(
        "Events after this number are not here any more (they are kept for seven days), or not yet. Read again what "
        "you need, then begin with after=0 for the oldest that is kept, or without “after” for what comes from now on."
    )
    return RefusedError(410, sentence, field="after", oldest=kept.forgotten + 1, newest=kept.newest)


def _backpressure(request: HttpRequest) -> Callable[[], bool]:
    """Whether its connection takes no more for now (reporting/http/backpressure.py)."""
    extensions = getattr(request, "scope", {}).get("extensions") or {}
    behind: Callable[[], bool] = extensions.get("desk.is_behind", lambda: False)
    return behind
