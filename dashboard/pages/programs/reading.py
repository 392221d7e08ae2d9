"""The addresses that read what only pages showed before: desk, opened rows, history, gaps, status."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext
from ninja import Query, Router

from dashboard.access.rights import home_trader, may_see_all, may_see_status
from dashboard.alerts.models import Alert, AlertRule
from dashboard.alerts.signals import announce
from dashboard.alerts.wishes import acknowledge
from dashboard.figures.desk import load_desk
from dashboard.figures.desk_status import load_status
from dashboard.figures.firmness.outlook import load_outlook
from dashboard.figures.history import load_history
from dashboard.figures.period import load_all_trades, load_path
from dashboard.pages.desk import need_desk
from dashboard.pages.history import asked_history
from dashboard.pages.past.asked import asked_past
from dashboard.pages.programs import schemas
from dashboard.pages.programs.answers import RefusedError, asked_cursor, asked_limit, need_known
from dashboard.pages.programs.refusals import READS, WRITES
from dashboard.pages.requests import NotThereError, asked_market, asked_period, asked_reading, sentence
from dashboard.pages.second_factor import signed_in_user
from dashboard.pages.status import status_json
from dashboard.render.alerts.as_json import alert_json, rule_json
from dashboard.render.programs.as_json import desk_json, gap_json, history_json, opened_json
from market import clock
from market.periods import PeriodError, parse_day
from trades.models import FeedGap

router = Router(tags=["reading"])


@router.get("desk/{str:day}", response={200: schemas.Desk, **READS}, by_alias=True)
def api_desk(
    request: HttpRequest, day: str, by: str = "product", market: str = "", as_of: str = "", basis: str = "known"
) -> Any:
    """The whole desk on a delivery day, now or as of a moment, for those who may see all boards."""
    need_desk(request.user)
    need_known(request, "by", "market", "as_of", "basis")
    asked, delivery_day, now = asked_market(request), parse_day(day), clock.now()
    past = asked_past(request, asked, now)
    desk = load_desk(market=asked, delivery_day=delivery_day, now=now, reading=asked_reading(request), past=past)
    return desk_json(desk, load_outlook(asked, desk.whole.as_of))


@router.get(
    "periods/{path:trader_id}/{str:day}/{str:delivery_hour}",
    response={200: schemas.OpenedPeriod, **READS},
    by_alias=True,
)
def api_opened(  # noqa: PLR0913, PLR0917 - the address
    request: HttpRequest,
    trader_id: str,
    day: str,
    delivery_hour: str,
    by: str = "product",
    market: str = "",
    limit: str = "",
    cursor: str = "",
    as_of: str = "",
    basis: str = "known",
) -> Any:
    """A row of a board opened: its figures, its trades (the newest first, cancelled ones too), its reference's path."""
    asked = asked_period(request, trader_id, day, delivery_hour)
    need_known(request, "by", "market", "limit", "cursor", "as_of", "basis")
    most, after, now = asked_limit(request), asked_cursor(request), clock.now()
    key = asked.row(asked_past(request, asked.market, now))
    board, row, trades = load_all_trades(key=key, now=now)
    places = {judged.trade.pk: place for place, judged in enumerate(trades)}
    if after is not None and after not in places:
        raise RefusedError(400, gettext("This cursor is none of ours."), field="cursor")
    first = 0 if after is None else places[after] + 1
    page = trades[first : first + most]
    more = str(page[-1].trade.pk) if first + most < len(trades) else None
    shown = opened_json(board, row, page, load_path(key), load_outlook(asked.market, board.as_of))
    return shown | {"market": asked.market.code, "cursor": more}


@router.get("history", response={200: schemas.History, **READS}, by_alias=True)
def api_history(  # noqa: PLR0917 - the address
    request: HttpRequest,
    trader: str = "",
    market: str = "",
    first: str = Query("", alias="from"),  # type: ignore[type-arg]
    last: str = Query("", alias="to"),  # type: ignore[type-arg]
    days: str = "",
    by: str = "product",
) -> Any:
    """A range of days (`from` and `to`, or days=7, 30, 90) by day, hour and, for the whole desk, trader."""
    need_known(request, "trader", "market", "from", "to", "days", "by")
    try:
        asked = asked_history(request)
    except PeriodError as error:
        raise RefusedError(400, sentence(error), field="from") from None
    loaded = load_history(market=asked.market, trader=asked.trader, days=asked.days, reading=asked.reading)
    return history_json(loaded)


@router.get("gaps", response={200: schemas.Gaps, **READS})
def api_gaps(request: HttpRequest, market: str = "", state: str = "", limit: str = "", cursor: str = "") -> Any:
    """Times without a connection to the exchange, the newest first; state=open: those that nobody has closed."""
    user = request.user
    if home_trader(user) is None and not may_see_all(user) and not may_see_status(user):
        raise NotThereError(gettext("Your login does not belong to a trader."))
    need_known(request, "market", "state", "limit", "cursor")
    if state not in {"", "open", "closed"}:
        raise RefusedError(400, gettext("A gap is open or closed."), field="state")
    most, before = asked_limit(request), asked_cursor(request)
    gaps = FeedGap.objects.select_related("market").order_by("-pk")
    gaps = gaps.filter(market=asked_market(request)) if market else gaps
    gaps = gaps.filter(closed_at__isnull=state == "open") if state else gaps
    rows = list((gaps.filter(pk__lt=before) if before is not None else gaps)[: most + 1])
    more = str(rows[most - 1].pk) if len(rows) > most else None
    return {"gaps": [gap_json(gap) for gap in rows[:most]], "cursor": more}


@router.get("status", response={200: schemas.Status, **READS})
def api_status(request: HttpRequest) -> Any:
    """The feeds, for those who look after the desk."""
    if not may_see_status(request.user):
        raise NotThereError(gettext("There is nothing at this address."))
    need_known(request)
    return status_json(load_status(now=clock.now()))


@router.get("alerts", response={200: schemas.Alerts, **READS}, tags=["alerts"])
def api_alerts(request: HttpRequest, state: str = "", limit: str = "", cursor: str = "") -> Any:
    """What the user was told, the newest first, and the user's rules; state=open: what is still the case."""
    user = signed_in_user(request)
    need_known(request, "state", "limit", "cursor")
    if state not in {"", "open", "unseen"}:
        raise RefusedError(400, gettext("Alerts are open or unseen."), field="state")
    most, before = asked_limit(request), asked_cursor(request)
    fired = Alert.objects.filter(user=user, muted=False)
    fired = fired.filter(ended_at=None) if state == "open" else fired
    fired = fired.filter(seen_at=None) if state == "unseen" else fired
    rows = list((fired.filter(pk__lt=before) if before is not None else fired)[: most + 1])
    more = str(rows[most - 1].pk) if len(rows) > most else None
    rules = AlertRule.objects.filter(user=user).select_related("trader", "market")
    alerts, own = [alert_json(alert) for alert in rows[:most]], [rule_json(rule) for rule in rules]
    return {"alerts": alerts, "rules": own, "cursor": more}


@router.post("alerts/{int:number}/seen", response={200: schemas.Alert, **WRITES}, tags=["alerts"])
def api_seen(request: HttpRequest, number: int) -> Any:
    """Acknowledge an alert; a second time changes nothing."""
    user = signed_in_user(request)
    if number >= 1 << 63 or not acknowledge(user=user, pk=number, now=clock.now()):
        raise RefusedError(404, gettext("There is no such alert of yours."))
    announce(user.pk)
    return alert_json(Alert.objects.get(pk=number))


OPERATIONS = (api_alerts, api_seen, api_desk, api_opened, api_history, api_gaps, api_status)
"""Those whose addresses are mounted (api.py)."""
