"""Refusals of the API: one sentence, and the name of the field that it is about."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.utils.translation import gettext

A_PAGE, LARGEST_PAGE = 100, 500
_View = Callable[..., HttpResponseBase]


class RefusedError(Exception):
    """What is answered instead: a status, a sentence in the reader's language, the field, and what else helps."""

    def __init__(
        self, status: int, sentence: str, *, field: str = "", headers: Mapping[str, str] | None = None, **more: object
    ) -> None:
        super().__init__(sentence)
        self.status, self.field, self.headers, self.more = status, field, dict(headers or {}), more

    def answer(self) -> JsonResponse:
        """{"error": sentence, "field": name} with what else is worth knowing."""
        about = {"field": self.field[:80]} if self.field else {}
        return JsonResponse({"error": str(self), **about, **self.more}, status=self.status, headers=self.headers)


def refusing_as_json(view: _View) -> _View:
    """The view, with a RefusedError that it raises as its answer."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **arguments: Any) -> HttpResponseBase:
        try:
            return view(request, *args, **arguments)
        except RefusedError as error:
            return error.answer()

    return answer


def login_refusal() -> RefusedError:
    """For a request with neither a session nor a token."""
    sentence = gettext("Log in first: this address answers only with a session's cookie or a token.")
    return RefusedError(401, sentence, headers={"WWW-Authenticate": "Bearer"})


def need_login(request: HttpRequest) -> None:
    """Raises RefusedError for a request with neither a session nor a token."""
    if not request.user.is_authenticated:
        raise login_refusal()


def need_known(request: HttpRequest, *names: str) -> None:
    """Raises RefusedError for a query with a name that the address doesn't have: a typing error must not go unseen."""
    for unknown in sorted(set(request.GET) - set(names)):
        sentence = gettext("This address knows no “%(name)s”.") % {"name": unknown[:40]}
        raise RefusedError(400, sentence, field=unknown)


def asked_limit(request: HttpRequest) -> int:
    """`limit` of a query: how many on a page. Raises RefusedError."""
    text = request.GET.get("limit", "") or str(A_PAGE)
    limit = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0
    if not 1 <= limit <= LARGEST_PAGE:
        sentence = gettext("“limit” must be a whole number from 1 to %(most)s.") % {"most": LARGEST_PAGE}
        raise RefusedError(400, sentence, field="limit")
    return limit


def asked_cursor(request: HttpRequest) -> int | None:
    """`cursor` of a query, as the page before gave it; None: the first page. Raises RefusedError."""
    text = request.GET.get("cursor", "")
    if text and not (text.isascii() and text.isdigit() and len(text) < 19):
        raise RefusedError(400, gettext("This cursor is none of ours."), field="cursor")
    return int(text) if text else None
