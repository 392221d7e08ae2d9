"""What a web process measures of itself, for /metrics: pages pushed. Names: docs/monitoring.md."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics

disable_created_metrics()  # type: ignore[no-untyped-call]  # a series more for each of them, that nobody reads
REGISTRY = CollectorRegistry()

PUSH_SECONDS = Histogram(
    "desk_board_push_seconds",
    "From hearing that a board moved to its changed rows being sent to all its pages",
    buckets=(0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=REGISTRY,
)
BOARDS_RENDERED = Counter("desk_boards_rendered", "Boards read and rendered anew", registry=REGISTRY)
MESSAGES_PUSHED = Counter("desk_messages_pushed", "Messages sent to open pages, beats included", registry=REGISTRY)
