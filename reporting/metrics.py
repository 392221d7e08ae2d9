"""/metrics for Prometheus: what the database knows of the whole desk, and what this web process has open."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from datetime import datetime, timedelta

import redis
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeHistogramMetricFamily, GaugeMetricFamily, Metric

from dashboard.live.hub import hub
from dashboard.live.metrics import REGISTRY
from market import clock
from market.clock_state import state_of_clocks
from market.queries import active_markets
from market.statements.standby import standby
from prices import feed as price_feed
from prices import queries as prices
from prices.rhythms import interval_of
from reporting import job_status
from trades import queries as trades
from trades.feed import status

REQUEST_SECONDS = Histogram(
    "desk_http_request_seconds",
    "From a request to its answer's head, without those that ask for health and metrics",
    buckets=(0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=REGISTRY,
)

REQUESTS = Counter("desk_http_requests", "Requests answered, by the status' first digit", ["status"], registry=REGISTRY)
ANSWERED = {digit: REQUESTS.labels(f"{digit}xx") for digit in range(1, 6)}
"""By the first digit. There from the start, at 0: a rate over what isn't there yet is nothing."""

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus text. Holds counts and states only: no trader, no price, no position. 401 without METRICS_TOKEN."""
    if settings.METRICS_TOKEN and not _knows_token(request):
        return HttpResponse("The bearer token is missing or wrong.", status=401, headers={"WWW-Authenticate": "Bearer"})
    registry = CollectorRegistry()
    registry.register(DeskCollector())
    own = generate_latest(REGISTRY) + generate_latest(_OF_THE_PROCESS)
    return HttpResponse(generate_latest(registry) + own, content_type=CONTENT_TYPE)


def _knows_token(request: HttpRequest) -> bool:
    given = request.headers.get("Authorization", "")
    return constant_time_compare(given, f"Bearer {settings.METRICS_TOKEN}")


_OF_THE_PROCESS = CollectorRegistry()
ProcessCollector(registry=_OF_THE_PROCESS)


class DeskCollector:
    """Reads the figures at the moment they are asked for, so that every process's work shows in one place."""

    def collect(self) -> Iterator[Metric]:
        clock.desk.follow()
        now = clock.now()
        yield from _process()
        yield from _clocks(now)
        yield from _standby()
        yield from _frames()
        yield from _feeds(now)
        yield from _listeners(now)
        yield from _waiting_for_people(now)
        yield from _provider(now)
        yield from _provider_last_hour(now)
        yield from _lateness(now)
        yield from _jobs()


def _process() -> Iterator[Metric]:
    info = GaugeMetricFamily("desk_build_info", "The running version", labels=["version"])
    info.add_metric([settings.VERSION], 1)
    yield info
    yield GaugeMetricFamily("desk_open_pages", "Open board sockets of this web process", value=hub.open_pages)


def _clocks(now: datetime) -> Iterator[Metric]:
    """Ages are told by the desk's time, not by that of whoever asks."""
    yield GaugeMetricFamily("desk_time_seconds", "The desk's time", value=now.timestamp())
    state = state_of_clocks(now=now)
    moved = GaugeMetricFamily(
        "desk_clock_ahead_seconds", "How far a moved clock is ahead of the desk's time", labels=["whose"]
    )
    for one in state.moved:
        moved.add_metric([one.whose], one.ahead)
    yield moved
    yield GaugeMetricFamily(
        "desk_clock_stepped_seconds", "By how much the desk's time stepped within an hour", value=state.stepped_by or 0
    )


def _standby() -> Iterator[Metric]:
    """Nothing where there is none."""
    state = standby.state()
    if state is None:
        return
    yield GaugeMetricFamily("desk_standby_used", "Whether long reads go to the standby", value=state.trouble is None)
    if state.behind is not None:
        yield GaugeMetricFamily("desk_standby_behind_bytes", "WAL that the standby has to replay", value=state.behind)


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
    silent = GaugeMetricFamily(
        "desk_exchange_silent", "1 while a line is open and nothing on it is answered", labels=["market"]
    )
    last_price = GaugeMetricFamily(
        "desk_reference_price_last_success_timestamp_seconds", "When the provider last answered", labels=["market"]
    )
    for market in active_markets():
        exchange = status.feed_state(market_id=market.pk, now=now)
        connected.add_metric([market.code], float(exchange.connected))
        silent.add_metric([market.code], float(exchange.silent))
        if exchange.last_frame_at:
            last_frame.add_metric([market.code], exchange.last_frame_at.timestamp())
        state = price_feed.feed_state(market=market, now=now, interval=interval_of(market))
        if state.last_success_at:
            last_price.add_metric([market.code], state.last_success_at.timestamp())
    yield from (connected, silent, last_frame, last_price)


def _listeners(now: datetime) -> Iterator[Metric]:
    """Connected listeners only: one that is gone has no disk or queue to speak of."""
    names = ["market", "listener"]
    failed = GaugeMetricFamily("desk_listener_journal_failed", "1 while a listener's journal can't write", labels=names)
    waiting = GaugeMetricFamily("desk_listener_waiting_frames", "Frames received and not stored yet", labels=names)
    overflows = CounterMetricFamily(
        "desk_listener_overflows", "How often a listener's memory was full and the socket had to wait", labels=names
    )
    connected = GaugeMetricFamily("desk_listeners_connected", "Listeners that are connected", labels=["market"])
    stored = GaugeMetricFamily(
        "desk_journal_last_stored_timestamp_seconds", "When a journal's frame was last stored", labels=["market"]
    )
    for market in active_markets():
        states = status.connected_listeners(market_id=market.pk, now=now)
        connected.add_metric([market.code], len(states))
        stored_at = status.last_stored_at(market_id=market.pk)
        if stored_at:
            stored.add_metric([market.code], stored_at.timestamp())
        for state in states:
            values = [market.code, state.listener]
            failed.add_metric(values, float(state.journal_failed))
            waiting.add_metric(values, state.waiting)
            overflows.add_metric(values, state.overflows)
    yield from (connected, stored, failed, waiting, overflows)


def _waiting_for_people(now: datetime) -> Iterator[Metric]:
    gaps = GaugeMetricFamily("desk_feed_gaps_open", "Gaps of the feed that nobody has closed", labels=["market"])
    aside = GaugeMetricFamily(
        "desk_quarantine_open", "Frames kept aside that wait for a decision", labels=["market", "kind"]
    )
    refusing = GaugeMetricFamily(
        "desk_confirmations_refused",
        "Confirmations that one rule has kept aside within ten minutes, where they are more than a handful",
        labels=["market", "rule"],
    )
    for market in active_markets():
        gaps.add_metric([market.code], status.open_gap_count(market_id=market.pk))
        for kind, count in status.open_quarantine_counts(market_id=market.pk).items():
            aside.add_metric([market.code, kind], count)
        for rule, count in status.refusing_rules(market_id=market.pk, now=now).items():
            refusing.add_metric([market.code, rule], count)
    yield from (gaps, aside, refusing)


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


def _provider_last_hour(now: datetime) -> Iterator[Metric]:
    """From the ledger, whose rows of an hour are few by the provider's limits; a page sees the same on /status/."""
    names = ["market", "outcome"]
    outcomes = GaugeMetricFamily("desk_provider_requests_last_hour", "Requests of an hour by outcome", labels=names)
    latency = GaugeMetricFamily(
        "desk_provider_latency_seconds", "How long the last hour's answers took", labels=["market", "quantile"]
    )
    published = GaugeMetricFamily(
        "desk_reference_price_published_timestamp_seconds", "The newest publication, as stamped", labels=["market"]
    )
    delay = GaugeMetricFamily(
        "desk_reference_price_arrival_delay_seconds", "From that publication to its first price here", labels=["market"]
    )
    for market in active_markets():
        hour = prices.last_hour(market_id=market.pk, now=now)
        for outcome, count in hour.outcomes.items():
            outcomes.add_metric([market.code, outcome], count)
        for quantile, value in (("0.5", hour.latency_p50), ("0.95", hour.latency_p95), ("1", hour.latency_most)):
            if value is not None:
                latency.add_metric([market.code, quantile], value)
        news = prices.last_publication(market_id=market.pk)
        if news:
            published.add_metric([market.code], news.last_update)
            delay.add_metric([market.code], news.seen_at - news.last_update)
    yield from (outcomes, latency, published, delay)


QUANTILES = (("0.5", 0.5), ("0.95", 0.95), ("1", 1.0))
CAPTURE_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 60.0)
ARRIVAL_BUCKETS = (0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0, 60.0, 120.0)


def _lateness(now: datetime) -> Iterator[Metric]:
    """Of the last hour; a market in which nothing happened has no figure. Read from what is stored, however much."""
    capture = _Late("desk_capture", "From a frame's receipt to its trade's storing", CAPTURE_BUCKETS)
    arrival = _Late("desk_reference_price", "From a publication's stamp to its first price's storing", ARRIVAL_BUCKETS)
    since = now - timedelta(hours=1)
    for market in active_markets():
        capture.add(market.code, status.capture_lateness(market_id=market.pk, since=since))
        news = prices.publications(market_ids=[market.pk], since=since.timestamp())
        arrival.add(market.code, sorted(publication.seen_at - publication.last_update for publication in news))
    yield from (*capture.metrics, *arrival.metrics)


class _Late:
    """One kind of lateness, as quantiles and as a histogram over the same lately stored rows."""

    def __init__(self, name: str, what: str, bounds: tuple[float, ...]) -> None:
        labels = ["market", "quantile"]
        self._quantiles = GaugeMetricFamily(f"{name}_latency_seconds", what, None, labels)
        self._histogram = GaugeHistogramMetricFamily(f"{name}_recent_seconds", what, labels=["market"])
        self._bounds = bounds
        self.metrics = (self._quantiles, self._histogram)

    def add(self, market: str, took: list[float]) -> None:
        """`took`: seconds, shortest first; nothing is said of a market without any."""
        if not took:
            return
        for quantile, share in QUANTILES:
            self._quantiles.add_metric([market, quantile], took[min(len(took) - 1, int(share * len(took)))])
        buckets = [(str(bound), bisect_right(took, bound)) for bound in self._bounds]
        self._histogram.add_metric([market], [*buckets, ("+Inf", len(took))], sum(took))


def _jobs() -> Iterator[Metric]:
    up = GaugeMetricFamily("desk_redis_up", "1 when Redis answers")
    waiting = GaugeMetricFamily("desk_jobs_waiting", "Jobs that wait for a worker")
    success = GaugeMetricFamily(
        "desk_job_last_success_timestamp_seconds", "When a job last ended well; forgotten with Redis", labels=["task"]
    )
    try:
        for job, at in sorted(job_status.successes().items()):
            success.add_metric([job], at)
        waiting.add_metric([], job_status.waiting())
        up.add_metric([], 1)
    except redis.RedisError:
        up.add_metric([], 0)
    yield from (up, waiting, success)
