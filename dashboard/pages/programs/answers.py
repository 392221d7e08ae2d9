"""Refusals of the API: one sentence, and the name of the field that it is about."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.utils.translation import gettext

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


def need_login(request: HttpRequest) -> None:
    """Raises RefusedError for a request with neither a session nor a token."""
    if not request.user.is_authenticated:
        sentence = gettext("Log in first: this address answers only with a session's cookie or a token.")
        raise RefusedError(401, sentence, headers={"WWW-Authenticate": "Bearer"})


def need_known(request: HttpRequest, *names: str) -> None:
    """Raises RefusedError for a query with a name that the address doesn't have: a typing error must not go unseen."""
    for unknown in sorted(set(request.GET) - set(names)):
        sentence = gettext("This address knows no “%(name)s”.") % {"name": unknown[:40]}
        raise RefusedError(400, sentence, field=unknown)
