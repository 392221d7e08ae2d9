"""The headers of every kind of answer, byte for byte: through Django, through ASGI, from daphne itself."""

from __future__ import annotations

import base64
import os
import socket
import sys
from collections.abc import Iterator

import pytest
from django.contrib.staticfiles import finders
from django.test import Client
from pytest_django import Settings

from tests.dashboard.people import a_superuser, a_trader
from tests.processes import free_port, running, wait_until
from tests.trades.frames import germany

pytestmark = [pytest.mark.integration]

ALWAYS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "accelerometer=(), autoplay=(), camera=(), display-capture=(), encrypted-media=(), "
    "fullscreen=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), "
    "picture-in-picture=(), publickey-credentials-get=(), screen-wake-lock=(), usb=(), "
    "xr-spatial-tracking=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
HSTS = {"Strict-Transport-Security": "max-age=31536000; includeSubDomains; preload"}
NO_STORE = {"Cache-Control": "no-store"}

KINDS = {
    "/": 200,
    "/boards/trader_1/2026-11-23/": 200,
    "/boards/nobody/2026-11-23/": 404,
    "/boards/?trader=trader_1": 302,
    "/api/v1/boards/trader_1/2026-11-23": 200,
    "/api/v1/boards/nobody/2026-11-23": 404,
    "/nothing/": 404,
    "/admin/": 200,
    "/admin/nothing/": 404,
    "/admin/jsi18n/": 200,
    "/accounts/logout/": 405,
    "/healthz": 200,
    "/readyz": 200,
    "/metrics": 200,
}


@pytest.mark.django_db
@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
def test_every_answer_of_django_carries_them(client: Client, settings: Settings, secure: bool) -> None:
    settings.SECURE_COOKIES = secure
    germany()
    a_trader()
    client.force_login(a_superuser())
    expected = {**ALWAYS, **(HSTS if secure else {})}
    for address, status in KINDS.items():
        answer = client.get(address, secure=secure)
        assert answer.status_code == status, address
        assert {name: answer.headers.get(name) for name in expected} == expected, address
        assert answer.headers["Cache-Control"] == "no-store", address
        assert "Expires" not in answer.headers
    assert Client().get("/", secure=secure).headers["Content-Security-Policy"] == ALWAYS["Content-Security-Policy"]


@pytest.mark.django_db
def test_refused_forms_and_broken_pages_carry_them(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    strict = Client(enforce_csrf_checks=True, raise_request_exception=False)
    assert strict.post("/accounts/login/", {}).status_code == 403
    monkeypatch.setattr("reporting.health.settings", None)
    for answer in (
        strict.post("/accounts/login/", {}),
        strict.get("/healthz"),
        strict.get("/", headers={"host": "evil.example"}),
    ):
        assert answer.status_code in {400, 403, 500}
        assert {name: answer.headers.get(name) for name in ALWAYS} == ALWAYS
        assert answer.headers["Cache-Control"] == "no-store"


# --- the real web process -------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory, django_db_setup: None) -> Iterator[int]:
    """A web process for the whole module, reached by TLS as far as it knows."""
    number, log = free_port(), tmp_path_factory.mktemp("web") / "daphne.log"
    argv = [sys.executable, "-m", "daphne", "-b", "127.0.0.1", "-p", str(number)]
    argv += ["--websocket-max-message-size", "1048576", "--websocket-max-frame-size", "4096"]
    environment = {"SECURE_COOKIES": "1", "BEHIND_TLS_PROXY": "1", "TRUSTED_PROXIES": "127.0.0.1"}
    with running(*argv, "reporting.asgi:application", log=log, PROCESS_ROLE="web", **environment) as process:
        wait_until(lambda: _answers(number), "the web process:\n", details=process.output)
        yield number


def _answers(port: int) -> bool:
    try:
        return asked(port, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")[0] == "200"
    except (OSError, IndexError):
        return False


def asked(port: int, request: bytes) -> tuple[str, dict[str, str]]:
    """(status, headers) of the answer to these bytes."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as link:
        link.sendall(request)
        data = b""
        while b"\r\n\r\n" not in data and (chunk := link.recv(65536)):
            data += chunk
    first, *lines = data.partition(b"\r\n\r\n")[0].decode("latin1").split("\r\n")
    pairs = [line.partition(": ")[::2] for line in lines]
    assert len({name.lower() for name, _ in pairs}) == len(pairs), f"a header comes twice: {pairs}"
    return first.split()[1], {name.lower(): value for name, value in pairs}


def get(path: str, *more: str) -> bytes:
    head = [f"GET {path} HTTP/1.1", "Host: localhost", "X-Forwarded-Proto: https", "Connection: close", *more]
    return "\r\n".join([*head, "", ""]).encode("latin1")


def upgrade(path: str, origin: str | None, *more: str, version: str = "13") -> bytes:
    key = base64.b64encode(os.urandom(16)).decode()
    head = [f"GET {path} HTTP/1.1", "Host: localhost", "Upgrade: websocket", "Connection: Upgrade"]
    head += [f"Sec-WebSocket-Key: {key}", f"Sec-WebSocket-Version: {version}", *more]
    return "\r\n".join([*head, *([f"Origin: {origin}"] if origin else []), "", ""]).encode("latin1")


BOARD = "/ws/boards/trader_1/2026-11-23/"
STRANGE = {
    "a page": (get("/accounts/login/"), "200"),
    "a redirect to https": (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "301"),
    "not found": (get("/nothing"), "404"),
    "a foreign host": (get("/").replace(b"Host: localhost", b"Host: evil.example"), "400"),
    "an upgrade that is none": (get("/healthz", "Upgrade: websocket"), "400"),
    "a static file that is not there": (get("/static/nothing.css"), "404"),
    "a body that is too large": (
        b"POST /accounts/login/ HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-Proto: https\r\n"
        b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 3000000\r\n\r\n" + b"a" * 3_000_000,
        "403",
    ),
    "a websocket from elsewhere": (upgrade(BOARD, "https://evil.example"), "403"),
    "a websocket from nowhere": (upgrade(BOARD, None), "403"),
    "a websocket of origin null": (upgrade(BOARD, "null"), "403"),
    "a websocket of another port": (upgrade(BOARD, "https://localhost:8443"), "403"),
    "a websocket of another scheme": (upgrade(BOARD, "http://localhost"), "403"),
    "a websocket of another host that ends alike": (upgrade(BOARD, "https://evil-localhost"), "403"),
    "a websocket of no known version": (upgrade(BOARD, "https://localhost", version="1"), "400"),
}


@pytest.mark.parametrize("kind", STRANGE)
def test_every_answer_of_the_web_process_carries_them(port: int, kind: str) -> None:
    request, status = STRANGE[kind]
    got, headers = asked(port, request)
    assert got == status
    expected = {**ALWAYS, **HSTS, **NO_STORE}
    assert {name: headers.get(name.lower()) for name in expected} == expected


def test_what_is_no_http_gets_an_empty_refusal(port: int) -> None:
    """Twisted's own, before there is a request: no headers, and no body that could need them."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as link:
        link.sendall(get("/\xff"))
        assert link.recv(65536) == b"HTTP/1.1 400 Bad Request\r\n\r\n"


def test_a_static_file_carries_them_and_may_be_kept(port: int) -> None:
    assert finders.find("css/desk.css")
    got, headers = asked(port, get("/static/css/desk.css"))
    assert got == "200"
    assert {name: headers.get(name.lower()) for name in (ALWAYS | HSTS)} == ALWAYS | HSTS
    assert "max-age" in headers["cache-control"]


def test_cookies_are_for_this_host_alone(port: int) -> None:
    _, headers = asked(port, get("/accounts/login/"))
    cookie = headers["set-cookie"]
    assert cookie.startswith("__Host-csrf=")
    assert {part.strip() for part in cookie.split(";")[1:]} >= {"HttpOnly", "Path=/", "SameSite=Lax", "Secure"}
    assert "Domain" not in cookie


def test_a_frame_that_is_too_large_ends_the_connection(port: int) -> None:
    """Before it has arrived: the length in its head is enough."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as link:
        link.sendall(upgrade(BOARD, "https://localhost"))
        assert b" 101 " in link.recv(65536)
        link.sendall(b"\x81\xff" + (1 << 30).to_bytes(8, "big") + b"\0\0\0\0")
        try:
            while link.recv(65536):
                pass
        except ConnectionResetError:
            pass  # cut off: what we have not sent yet will not be read
