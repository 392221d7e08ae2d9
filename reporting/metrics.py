"""/metrics for Prometheus: what the database knows of the whole desk, and what this web process has open."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from dashboard.live import hub
from market.queries import active_markets
from prices import queries as prices
from trades import queries as trades

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@never_cache
@require_safe
def metrics(_request: HttpRequest) -> HttpResponse:
    """Prometheus text. Holds counts and states only: no trader, no price, no position."""
    registry = CollectorRegistry()
    registry.register(DeskCollector())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE)


class DeskCollector:
    """Reads the figures at the moment they are asked for, so that every process's work shows in one place."""

    def collect(self) -> Iterator[Metric]:
        now = datetime.now(UTC)
        yield from _process()
        yield from _frames()
        yield from _feeds(now)
        yield from _provider(now)


def _process() -> Iterator[Metric]:
    info = GaugeMetricFamily("desk_build_info", "The running version", labels=["version"])
    info.add_metric([settings.VERSION], 1)
    yield info
    yield GaugeMetricFamily("desk_open_pages", "Open board sockets of this web process", value=hub.open_pages)


def _frames() -> Iterator[Metric]:
    family = CounterMetricFamily(
        "desk_frames", "Frames of the exchange by what became of them", labels=["market", "outcome"]
    )
    for market in active_markets():
        for outcome, count in trades.frame_counts(market_id=market.pk).items():
            family.add_metric([market.code, outcome], count)
    yield family


def _feeds(now: datetime) -> Iterator[Metric]:
    connected = GaugeMetricFamily("desk_exchange_connected", "1 while a listener is connected", labels=["market"])
    last_frame = GaugeMetricFamily(
        "desk_exchange_last_frame_timestamp_seconds", "When the exchange last said something", labels=["market"]
    )
    last_price = GaugeMetricFamily(
        "desk_reference_price_last_success_timestamp_seconds", "When the provider last answered", labels=["market"]
    )
    for market in active_markets():
        exchange = trades.feed_state(market_id=market.pk, now=now)
        connected.add_metric([market.code], float(exchange.connected))
        if exchange.last_frame_at:
            last_frame.add_metric([market.code], exchange.last_frame_at.timestamp())
        state = prices.feed_state(market_id=market.pk, now=now, interval=settings.MARKET_DATA_UPDATE_INTERVAL)
        if state.last_success_at:
            last_price.add_metric([market.code], state.last_success_at.timestamp())
    yield from (connected, last_frame, last_price)


def _provider(now: datetime) -> Iterator[Metric]:
    use = prices.budget_use(now=now)
    used = GaugeMetricFamily("desk_provider_requests_used", "Requests that count in the window", labels=["window"])
    limit = GaugeMetricFamily("desk_provider_requests_limit", "The provider's limit", labels=["window"])
    for window, value, most in (
        ("minute", use.minute_used, use.minute_limit),
        ("hour", use.hour_used, use.hour_limit),
    ):
        used.add_metric([window], value)
        limit.add_metric([window], most)
    yield from (used, limit)
