"""Websockets are only for our own pages: the Origin header must name the host that was asked, scheme and port alike."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from channels.security.websocket import WebsocketDenier
from django.conf import settings
from django.http.request import split_domain_port, validate_host

_refuse: Any = WebsocketDenier()
_PORTS = {"http": 80, "https": 443}


class SameOriginOnly:
    """ASGI middleware: hands a websocket on if its origin is ours, else refuses the handshake (403)."""

    def __init__(self, application: Any) -> None:
        self.application = application

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> Any:
        headers = {name.lower(): value.decode("latin1") for name, value in scope["headers"]}
        if is_own_origin(headers.get(b"origin", ""), headers.get(b"host", "")):
            return await self.application(scope, receive, send)
        return await _refuse(scope, receive, send)


def is_own_origin(origin: str, host: str) -> bool:
    """Whether `origin` is exactly the site that was asked under `host`, or one that the settings trust."""
    if origin and origin in settings.CSRF_TRUSTED_ORIGINS:
        return True
    try:
        parts = urlsplit(origin)
        origin_port = parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        return False
    if parts.scheme != ("https" if settings.SECURE_SSL_REDIRECT else "http") or not parts.hostname:
        return False
    domain, port = split_domain_port(host)
    if not validate_host(domain, settings.ALLOWED_HOSTS):
        return False
    return parts.hostname == domain.strip("[]") and origin_port == int(port or _PORTS[parts.scheme])
