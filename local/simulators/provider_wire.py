"""What a market data provider says, as HTTP has it: answers, problems, and a server for them."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from local.simulators.prices import as_json

PATH = "/reference-price"


def iso(moment: datetime) -> str:
    """A moment as it stands on the wire: whole seconds, UTC, "Z"."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer; `wait` is how long the provider takes for it."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    wait: float = 0


def problem(status: int, detail: str, **headers: str) -> Answer:
    """An answer that is no price."""
    return Answer(status, json.dumps({"detail": detail}).encode(), headers)


def price_body(day: str, label: str, value: Decimal, unit: str, last_update: str) -> bytes:
    """The body of a reference price, as DOMAIN's wire has it."""
    fields = {"delivery_day": day, "delivery_hour": label, "value": value, "unit": unit, "last_update": last_update}
    return as_json(fields).encode()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    block_on_close = False
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that has gone between two requests is nothing to tell about."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def http_server(respond: Callable[[str], Answer], host: str, port: int) -> ThreadingHTTPServer:
    """A server of GET requests, a thread each. OSError when the port is taken."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        server_version, sys_version = "MarketData/1", ""

        def do_GET(self) -> None:
            answer = respond(self.path)
            if answer.wait:
                time.sleep(answer.wait)
            try:
                self._send(answer)
            except OSError:  # the client gave up
                self.close_connection = True

        def _send(self, answer: Answer) -> None:
            self.send_response(answer.status)
            headers = {"Content-Type": "application/json", "Content-Length": str(len(answer.body)), **answer.headers}
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing: /stats has the counts."""

    return _Server((host, port), Handler)
