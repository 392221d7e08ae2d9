"""The board's page on the way to what the product does, as an application of its own: STAGE names how it is made.

Every stage is behind Django's middleware and sessions and asks for the user's right, and every page is the product's.
"""

from __future__ import annotations

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reporting.settings")
os.environ.setdefault("PROCESS_ROLE", "web")

from django.core.asgi import get_asgi_application

application = get_asgi_application()

from datetime import date, datetime  # noqa: E402

from django.conf import settings  # noqa: E402
from django.contrib.auth.decorators import login_required  # noqa: E402
from django.core.cache import cache  # noqa: E402
from django.db.models import Count, F, Sum  # noqa: E402
from django.http import HttpRequest, HttpResponse  # noqa: E402
from django.urls import path  # noqa: E402
from django.utils import timezone  # noqa: E402

from dashboard.figures.board import Board, build_board, load_board  # noqa: E402
from dashboard.pages.boards import show_board  # noqa: E402
from dashboard.pages.requests import asked_market, asked_trader  # noqa: E402
from market.models import Market  # noqa: E402
from market.periods import DeliveryPeriod, parse_day  # noqa: E402
from market.totals import Total  # noqa: E402
from prices.queries import latest_prices  # noqa: E402
from reporting.urls import urlpatterns as product  # noqa: E402
from trades.models import Trade, Trader  # noqa: E402
from trades.queries import PositionRow  # noqa: E402

CACHED_SECONDS = 60


@login_required
def page(request: HttpRequest, trader_id: str, day: str) -> HttpResponse:
    """The board's page, or 404 without the right to it."""
    trader, market, now = asked_trader(request.user, trader_id), asked_market(request), timezone.now()
    if os.environ["STAGE"] == "cached":
        return _cached(request, trader, market, parse_day(day), now)
    read = _added_up if os.environ["STAGE"] == "trades" else _kept
    return show_board(request, read(trader, market, parse_day(day), now), now)


def _kept(trader: Trader, market: Market, day: date, now: datetime) -> Board:
    """From the position rows."""
    return load_board(trader=trader, market=market, delivery_day=day, now=now)


def _added_up(trader: Trader, market: Market, day: date, now: datetime) -> Board:
    """From the trades, added up by PostgreSQL for this request (all periods of them are hours)."""
    groups = (
        Trade.objects.filter(trader=trader, market=market, delivery_day=day)
        .order_by()
        .values_list("delivery_start", "delivery_end", "direction")
        .annotate(count=Count("pk"), energy=Sum("quantity"), turnover=Sum(F("price") * F("quantity")))
    )
    return build_board(
        trader=trader,
        market=market,
        delivery_day=day,
        now=now,
        positions=[
            PositionRow(DeliveryPeriod(start, end), direction, Total(count, energy, turnover), 1)
            for start, end, direction, count, energy, turnover in groups
        ],
        prices=latest_prices(market_id=market.pk, day=day),
    )


def _cached(request: HttpRequest, trader: Trader, market: Market, day: date, now: datetime) -> HttpResponse:
    """As it was made up to CACHED_SECONDS ago, from Redis."""
    key = f"bench-page-{request.session.session_key}-{trader.pk}-{market.pk}-{day}"
    content = cache.get(key)
    if content is None:
        content = show_board(request, _kept(trader, market, day, now), now).content
        cache.set(key, content, CACHED_SECONDS)
    return HttpResponse(content)


urlpatterns = [path("boards/<str:trader_id>/<str:day>/", page), *product]
settings.ROOT_URLCONF = __name__
