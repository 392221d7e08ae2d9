"""Logging: one JSON line an event on standard output, readable colours when that is a terminal."""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog

_SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]
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


def configure(config: dict[str, Any]) -> None:
    """Set up structlog and the standard library's loggers. `config`: {"level": "INFO"}."""
    structlog.configure(
        processors=[
            *_SHARED,
            structlog.processors.format_exc_info,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=_SHARED, processors=_rendering()))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(config.get("level", "INFO"))
    for name, level in _QUIETER.items():
        logging.getLogger(name).setLevel(level)


def _rendering() -> list[Any]:
    last: Any
    if sys.stdout.isatty():
        last = [structlog.dev.ConsoleRenderer()]
    else:
        last = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(default=str)]
    return [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last]
