"""Errors reported to Sentry, where there is a DSN: which error, in which version, where; and nothing of anybody's data.

What goes out is chosen, not filtered: the error's kind, the first line of its text, the places in our code, the event's
name and the few fields in KEPT. No cookies, headers, forms, addresses asked for, local variables, statements or frames.
"""

from __future__ import annotations

from typing import Any

KEPT = ("listener", "market", "journal", "position", "count", "tries", "queued", "request_id", "connection", "process")
"""Fields of a logged event that go out as they are: names and numbers of ours."""

LONGEST = 300


def start(*, dsn: str, release: str, environment: str) -> None:
    """Report errors from now on."""
    import sentry_sdk  # 0.7 s to import: only when it is used

    sentry_sdk.init(**options(dsn=dsn, release=release, environment=environment))


def options(*, dsn: str, release: str, environment: str) -> dict[str, Any]:
    """Sentry's settings."""
    return {
        "dsn": dsn,
        "release": release,
        "environment": environment,
        "send_default_pii": False,
        "include_local_variables": False,
        "include_source_context": False,
        "max_request_body_size": "never",  # forms hold passwords
        "max_breadcrumbs": 0,  # statements and log lines of before
        "before_send": scrubbed,
    }


def scrubbed(event: dict[str, Any], hint: dict[str, Any]) -> dict[str, Any]:
    """The event as it may go out."""
    message = getattr(hint.get("log_record"), "msg", None)
    out = {name: event[name] for name in _WHOLE if name in event}
    if isinstance(message, dict):  # structlog's
        out["message"] = str(message.get("event", ""))[:LONGEST]
        out["tags"] = {name: str(message[name])[:LONGEST] for name in KEPT if message.get(name) is not None}
    elif message is not None:
        out["message"] = str(message).partition("\n")[0][:LONGEST]  # the text without what was to be put into it
    if "request" in event:
        out["request"] = {"method": event["request"].get("method")}
    if "exception" in event:
        out["exception"] = {"values": [_first_line(value) for value in event["exception"].get("values", [])]}
    return out


_WHOLE = (
    "event_id", "timestamp", "level", "platform", "logger", "transaction", "release", "environment", "sdk", "contexts",
)  # fmt: skip


def _first_line(value: dict[str, Any]) -> dict[str, Any]:
    """PostgreSQL gives a row's contents from the second line on."""
    return {**value, "value": str(value.get("value", "")).partition("\n")[0][:LONGEST]}
