"""Twisted's access log, which nobody reads, and the method that writes it."""

from __future__ import annotations

import io
from typing import Any

import pytest
from daphne.http_protocol import HTTPFactory
from twisted.web import http

from reporting.http.unread_log import stop_unread_log


def test_no_line_is_composed_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HTTPFactory, "log", http.HTTPFactory.log)  # as it is before a web process is loaded
    composed: list[Any] = []
    factory: Any = HTTPFactory(server=None)
    factory._logFile = io.StringIO()
    factory._logFormatter = lambda _stamp, request: composed.append(request) or "a line"
    factory.log("before")
    stop_unread_log()
    factory.log("after")
    assert composed == ["before"]
