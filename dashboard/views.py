"""The board's pages. A view reads the clock, makes the domain calls and shows the result."""

from __future__ import annotations

from datetime import date, datetime

from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts import oidc
from accounts.login_throttle import LOCKED
from dashboard.access import home_trader, may_see_all, may_see_status
from dashboard.account_pages import log_in, needs_second_step, wait_for_second_step
from dashboard.board import Board, load_board
from dashboard.course import load_course
from dashboard.feeds import load_feeds
from dashboard.front import note_page
from dashboard.navigation import Here, exports, links
from dashboard.pages import asked_market, asked_trader, board_address, board_frame, no_board_sentence, refusal, refusing
from dashboard.rendering import page_version, render_parts
from dashboard.words import page_words
from market.models import Market
from market.periods import day_of, parse_day
from market.queries import active_markets
from trades.models import Trader


@require_safe
@never_cache
@login_required
@refusing
def home(request: HttpRequest) -> HttpResponse:
    """The user's own board of today, or the first that the user may see."""
    now = timezone.now()
    if not active_markets():
        return render(request, "dashboard/no_market.html")
    trader = home_trader(request.user)
    if trader is None and may_see_status(request.user) and not may_see_all(request.user):
        return redirect("status")
    if trader is None:
        return render(request, "dashboard/no_trader.html")
    market = asked_market(request)
    return _show(request, trader, market, day_of(now, market.zone), now, follows_today=True)


@require_safe
@never_cache
@login_required
@refusing
def choose(request: HttpRequest) -> HttpResponse:
    """Where the page's switches lead: `?trader=&day=&market=` to the address of that board; what is left out stays."""
    trader_id, day = request.GET.get("trader"), request.GET.get("day")
    market = asked_market(request)
    chosen = parse_day(day) if day else day_of(timezone.now(), market.zone)
    if not trader_id:
        return redirect("home")
    try:
        address = board_address(trader_id, chosen, market if request.GET.get("market") else None)
    except NoReverseMatch:  # line breaks: no address has them, and no trader is called so
        return refusal(request, no_board_sentence(trader_id))
    return redirect(address)


@require_safe
@never_cache
@login_required
@refusing
def board(request: HttpRequest, trader_id: str, day: str) -> HttpResponse:
    """One trader's board of one delivery day; 404 without the right to it, as for one that doesn't exist."""
    trader = asked_trader(request.user, trader_id)
    return _show(request, trader, asked_market(request), parse_day(day), timezone.now())


class SignInForm(AuthenticationForm):
    """Django's form, with a shorter word for a wrong pair, and another for too many of them."""

    error_messages = {
        **AuthenticationForm.error_messages,
        "invalid_login": gettext_lazy("Username and password don't belong together. Upper and lower case matter."),
        "locked": gettext_lazy("Too many failed log-ins from here. Wait 15 minutes, then try again."),
    }

    def is_locked(self) -> bool:
        """Whether the pair was not even looked at."""
        return bool(getattr(self.request, LOCKED, False))

    def get_invalid_login_error(self) -> ValidationError:
        code = "locked" if self.is_locked() else "invalid_login"
        return ValidationError(self.error_messages[code], code=code)


@method_decorator(never_cache, name="dispatch")
class SignIn(LoginView):
    """The login page; who is signed in already goes on to the board."""

    authentication_form = SignInForm
    redirect_authenticated_user = True
    extra_context = {"company": oidc.is_on}

    def form_invalid(self, form: SignInForm) -> HttpResponse:  # type: ignore[override]  # its authentication_form
        response = super().form_invalid(form)
        response.status_code = 429 if form.is_locked() else 200
        return response

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        user, way = form.get_user(), self.get_success_url()
        return (
            wait_for_second_step(self.request, user, way)
            if needs_second_step(user)
            else log_in(self.request, user, way)
        )


def _show(
    request: HttpRequest, trader: Trader, market: Market, day: date, now: datetime, *, follows_today: bool = False
) -> HttpResponse:
    shown = load_board(trader=trader, market=market, delivery_day=day, now=now)
    return show_board(request, shown, now, follows_today=follows_today)


def show_board(
    request: HttpRequest,
    shown: Board,
    now: datetime,
    *,
    follows_today: bool = False,
    opened: dict[str, str] | None = None,
) -> HttpResponse:
    """A board's page; `opened` has the panel (HTML) of the row (element id) that is open."""
    frame = board_frame(shown, user=request.user, follows_today=follows_today)
    parts = render_parts(shown, load_feeds(market=shown.market, now=now), frame.address, load_course(shown))
    named = frame.market if frame.markets else None
    version = page_version(shown, parts)
    note_page(request, shown, *(() if opened else (version, dict(parts))))
    context = {
        "version": version,
        "frame": frame,
        "feed_states": parts.pop("feed-states"),
        "summary": parts.pop("summary"),
        "total": parts.pop("total"),
        "periods": [part for name, html in parts.items() for part in (html, (opened or {}).get(name, ""))],
        "words": page_words(),
        "exports": exports(
            "board_export",
            asked={},
            market=named,
            trader_id=shown.trader.trader_id,
            day=shown.delivery_day.isoformat(),
        ),
        "nav": links(
            request.user,
            here=Here.BOARD,
            market=named,
            day=None if follows_today else shown.delivery_day,
            trader=shown.trader,
        ),
    }
    return render(request, "dashboard/board.html", context)
