"""ETags of the API: whoever asks with If-None-Match hears 304 while nothing has changed.

Weak ones, of the answer without the moment that it was made at: that is another with every answer.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response

API = "/api/"
_MOMENT = re.compile(rb'"(?:as_of|now)": ?(?:"[^"]*"|\d+)')


class EntityTags:
    """Middleware, for what the API answers with 200."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        asked = request.method in {"GET", "HEAD"} and request.path.startswith(API) and response.status_code == 200
        if not asked or response.streaming:
            return response
        etag = tag_of(response.content)
        response["ETag"] = etag
        return get_conditional_response(request, etag=etag, response=response) or response


def tag_of(body: bytes) -> str:
    """The weak tag of an answer; the moments that it was made at are no part of it."""
    digest = hashlib.blake2b(_MOMENT.sub(b"", body), digest_size=16)
    return f'W/"{digest.hexdigest()}"'
