"""One signed POST to an address that a user has named. It may not be one of the company's own, unless that is allowed.

The name is resolved once and that address is connected to: a name that answers otherwise a moment later gains nothing.
Redirections are not followed.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import socket
import ssl
from collections.abc import Mapping
from contextlib import closing, suppress
from datetime import datetime
from functools import partial
from ipaddress import ip_address
from urllib.parse import urlsplit

from market.statements.time_limits import ended_after

PATIENCE = 5.0
"""Seconds for each step of it."""
LONGEST = 10.0
"""Seconds for all of it, from the connection to the answer: whoever drips byte by byte is cut off."""
SIGNATURE = "X-Desk-Signature"


class DeliveryError(Exception):
    """It did not arrive. `is_final`: it never will."""

    def __init__(self, sentence: str, *, is_final: bool = False) -> None:
        super().__init__(sentence)
        self.is_final = is_final


class RefusedAddressError(DeliveryError):
    """An address that nothing is sent to."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, is_final=True)


def signature(*, secret: str, body: bytes, now: datetime) -> str:
    """`t=<seconds of 1970>,v1=<HMAC-SHA256 of "t.body" with the secret, in hex>`."""
    moment = int(now.timestamp())
    digest = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={moment},v1={digest}"


def checked(url: str, *, private: bool) -> tuple[str, str, int, str]:
    """(scheme, host, port, path) of a URL that may be one. Raises RefusedAddressError; asks no name server."""
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        raise RefusedAddressError("this is no address") from None
    if parts.scheme not in ({"https", "http"} if private else {"https"}) or not parts.hostname:
        raise RefusedAddressError("a webhook's address begins with https://")
    if parts.username or parts.password or not url.isprintable() or " " in url:
        raise RefusedAddressError("a webhook's address has no user, no spaces and no control characters")
    path = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
    return parts.scheme, parts.hostname, port, path


def public_address(host: str, port: int, *, private: bool) -> str:
    """An address of the host. Raises RefusedAddressError where any of them is private, OSError for no such host."""
    found = {str(row[4][0]).partition("%")[0] for row in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    inside = [address for address in found if not _is_public(address)]
    if inside and not private:
        raise RefusedAddressError("a webhook may not go to a private address")
    return min(found)


def _is_public(address: str) -> bool:
    parsed = ip_address(address)
    mapped = getattr(parsed, "ipv4_mapped", None)
    return (mapped or parsed).is_global and not parsed.is_multicast


def post(*, url: str, secret: str, body: Mapping[str, object], now: datetime, private: bool) -> None:
    """Send it. Raises DeliveryError for an answer that is no 2xx, OSError and http.client's for everything else."""
    scheme, host, port, path = checked(url, private=private)
    address = public_address(host, port, private=private)
    data = json.dumps(body, ensure_ascii=False, sort_keys=True).encode()
    headers = {
        "Host": host if port in {80, 443} else f"{host}:{port}",
        "Content-Type": "application/json",
        SIGNATURE: signature(secret=secret, body=data, now=now),
        "Connection": "close",
    }
    connection = http.client.HTTPConnection(host, port, timeout=PATIENCE)
    connection.sock = socket.create_connection((address, port), PATIENCE)
    with closing(connection), ended_after(LONGEST, partial(_cut_off, connection)):
        if scheme == "https":
            connection.sock = ssl.create_default_context().wrap_socket(connection.sock, server_hostname=host)
        connection.request("POST", path, data, headers)
        status = connection.getresponse().status
    if not 200 <= status < 300:
        raise DeliveryError(f"the receiver answered {status}")


def _cut_off(connection: http.client.HTTPConnection) -> None:
    """End the connection, wherever it is."""
    with suppress(OSError, ValueError, AttributeError):
        connection.sock.shutdown(socket.SHUT_RDWR)
