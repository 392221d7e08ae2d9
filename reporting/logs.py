"""Logging: one JSON line an event on standard output, readable colours when that is a terminal (docs/logs.md)."""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

from reporting.adapted.kept_out import kept_out
from reporting.version import VERSION

# For coloured errors on a terminal and for twisted's own log, which nobody reads. Beside developers' tools, as on a
# laptop, both are 8 MB and a tenth of a second of each process; elsewhere twisted's is half a megabyte.
with kept_out("rich", "twisted"):
    import structlog

_QUIETER = {
    "daphne": "WARNING",
    "django.server": "WARNING",
    "django.request": "ERROR",
    "celery.app.trace": "WARNING",
    "celery.worker.strategy": "WARNING",
    "celery.beat": "WARNING",
    "websockets": "WARNING",
    "urllib3": "WARNING",
    "asyncio": "WARNING",
}
_WITH_HANDLERS_OF_THEIR_OWN = ("django", "django.server")
"""Django gives them some before it asks us: each line would be said twice."""


def process_of(argv: list[str]) -> str:
    """Which process a command line is: web, listener, worker, beat, or the management command's name."""
    words = [Path(argv[0]).name, *argv[1:]] if argv else []
    if any("daphne" in word for word in (*argv[:1], *words[:1])) or "reporting.asgi:application" in words:
        return "web"
    if "listen_trades" in words:
        return "listener"
    if any("celery" in word for word in argv[:1]):
        return next((word for word in words if word in {"worker", "beat"}), "celery")
    return words[1] if words[:1] == ["manage.py"] and len(words) > 1 else (words[0] if words else "")


def _whose(process: str) -> Any:
    """Every line says which process of which version it is of."""

    def add(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event.setdefault("process", process)
        event.setdefault("version", VERSION)
        return event

    return add


def _shared(process: str) -> list[Any]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _whose(process),
    ]


_processors: list[Any] = []
"""One list for good: a logger keeps the one that it was first used with, and Django may be set up again after it."""


def configure(config: dict[str, Any]) -> None:
    """Set up structlog and the standard library's loggers. `config`: {"level": "INFO"}."""
    shared = _shared(process_of(sys.argv))
    _processors[:] = [
        *shared,
        structlog.processors.format_exc_info,
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ]
    structlog.configure(
        processors=_processors,
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    colours = sys.stdout.isatty()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=_rendering(colours=colours))
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(config.get("level", "INFO"))
    for name in _WITH_HANDLERS_OF_THEIR_OWN:
        logging.getLogger(name).handlers = []
        logging.getLogger(name).propagate = True
    for name, level in _QUIETER.items():
        logging.getLogger(name).setLevel(level)


def _rendering(*, colours: bool) -> list[Any]:
    last: Any
    if colours:
        last = [structlog.dev.ConsoleRenderer()]
    else:
        last = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(default=str)]
    return [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last]
