"""The headers that every answer carries, whoever gives it: one table, asked by all who answer.

Pages, redirects, errors, static files and the admin pass the middleware below; what Django answers before its
middleware, and what daphne answers by itself, get them in reporting/http/daphne_headers.py.
"""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import ResponseHeaders

NO_STORE = "no-store"
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
"""No inline script or style, no eval, no other origin."""

FEATURES = (
    "accelerometer autoplay camera display-capture encrypted-media fullscreen geolocation gyroscope magnetometer "
    "microphone midi payment picture-in-picture publickey-credentials-get screen-wake-lock usb "
    "xr-spatial-tracking"
)
ALWAYS = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": ", ".join(f"{feature}=()" for feature in FEATURES.split()),
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
STRICT_TRANSPORT = "Strict-Transport-Security"


def security_headers(*, secure: bool) -> dict[str, str]:
    """Name to value, for every answer; `secure`: the site is reached by TLS."""
    return ALWAYS | {STRICT_TRANSPORT: "max-age=31536000; includeSubDomains; preload"} if secure else dict(ALWAYS)


def put_on(headers: ResponseHeaders, *, secure: bool, is_static: bool) -> None:
    """Set them all; what is no static file is not stored anywhere."""
    for name, value in security_headers(secure=secure).items():
        headers[name] = value
    if not is_static:
        headers["Cache-Control"] = NO_STORE


class SecureAnswers:
    """Middleware, the outermost: nothing below it answers without the headers."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        is_static = request.path.startswith(settings.STATIC_URL) and response.status_code in {200, 206, 304}
        put_on(response.headers, secure=settings.SECURE_COOKIES, is_static=is_static)
        if not is_static:
            response.headers.pop("Expires", None)
        return response
