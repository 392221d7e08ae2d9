"""A log that nobody reads: twisted composes an access line of every answer for it.

Daphne has a log of its own, where `--access-log` names one; twisted's goes to observers that daphne never starts. In a
storm of requests these lines take a twentieth of the process.
"""

from __future__ import annotations

from typing import Any

from daphne.http_protocol import HTTPFactory


def stop_unread_log() -> None:
    """Called once by the web process, before daphne answers anything."""

    def log(_self: Any, _request: Any) -> None:
        """Nothing."""

    HTTPFactory.log = log
