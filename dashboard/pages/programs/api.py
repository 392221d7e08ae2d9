"""The API as one thing: what every address of it shares, and the document that describes it.

Addresses are written with Django Ninja: types in, types out, OpenAPI 3.1 from both. Those that were there before it
(`described.py`) answer by themselves, as they always did.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import URLPattern
from django.utils.translation import gettext
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, ValidationError
from ninja.security import HttpBearer

from dashboard.pages.itself import api as itself
from dashboard.pages.programs import described, reading
from dashboard.pages.programs.answers import RefusedError, login_refusal
from dashboard.pages.requests import REFUSED, QueryError, why_not

PREFIX = "api/v1/"
ABOUT = (
    "Everything that the desk's pages show. Decimals are exact, as text; undefined is null; times are UTC. "
    "A token sees what its user sees; what one may not see does not exist. See docs/api.md."
)


class SessionOrToken(HttpBearer):
    """Whoever is logged in; the middleware (accounts/bearer.py) has looked at the token already."""

    def __call__(self, request: HttpRequest) -> Any:
        return request.user if request.user.is_authenticated else None

    def authenticate(self, request: HttpRequest, token: str) -> Any:
        """Never asked."""
        raise NotImplementedError


api = NinjaAPI(
    title="The desk's report",
    version="1",
    description=ABOUT,
    docs_url=None,
    openapi_url=None,
    auth=SessionOrToken(),
    urls_namespace="api",
)
api.add_router("", described.router)
api.add_router("", reading.router)
api.add_router("", itself.router)


def _refused(_request: HttpRequest, error: Any) -> HttpResponse:
    refusal: RefusedError = error
    return refusal.answer()


def _not_there(_request: HttpRequest, error: Any) -> HttpResponse:
    return RefusedError(404, why_not(error)).answer()


def _unusable(_request: HttpRequest, error: Any) -> HttpResponse:
    return RefusedError(400, str(error)).answer()


def _wrong_type(_request: HttpRequest, error: Any) -> HttpResponse:
    """The first field that can't be read, by its name."""
    (first, *_) = error.errors
    name = str(first["loc"][-1])
    sentence = gettext("“%(name)s” can't be used: %(why)s.") % {"name": name, "why": first["msg"].lower()}
    return RefusedError(400, sentence, field=name).answer()


def _log_in(_request: HttpRequest, _error: Any) -> HttpResponse:
    return login_refusal().answer()


api.add_exception_handler(RefusedError, _refused)
api.add_exception_handler(QueryError, _unusable)
api.add_exception_handler(ValidationError, _wrong_type)
api.add_exception_handler(AuthenticationError, _log_in)
for _error in REFUSED:
    api.add_exception_handler(_error, _not_there)


def urls() -> list[URLPattern]:
    """The addresses that Ninja answers."""
    own = {operation.__name__ for operation in (*reading.OPERATIONS, itself.api_against_itself)}
    return [pattern for pattern in api.urls[0] if isinstance(pattern, URLPattern) and pattern.name in own]


@csrf_exempt  # there is nothing to be protected
def nothing(_request: HttpRequest) -> HttpResponse:
    """What else could stand below /api/: programs get a sentence of JSON, not a page."""
    return RefusedError(404, gettext("There is nothing at this address.")).answer()


@require_safe
def openapi(_request: HttpRequest) -> JsonResponse:
    """GET /api/v1/openapi.json: the document, for everybody; it says nothing but what could be asked."""
    return JsonResponse(document())


def document() -> dict[str, Any]:
    """OpenAPI 3.1."""
    return dict(api.get_openapi_schema(path_prefix=f"/{PREFIX}"))
