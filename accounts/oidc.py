"""Log-in by the company's identity provider: OpenID Connect, authorization code with PKCE, by Authlib.

Off until OIDC_ISSUER and its like are set; Authlib is imported at the first use. The provider says who somebody is;
which users there are and what they may is decided here, by admins. The first log-in ties a user to the provider's
subject for good: a name that the company gives to somebody else later opens nothing.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import structlog
from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from accounts.audit.log import record
from accounts.audit.models import Action
from accounts.models import CompanyIdentity

log = structlog.get_logger("accounts.oidc")

SECONDS = 5
_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]


class CompanyError(Exception):
    """A log-in by the provider that can't go on; the message is for the log, not for the page."""


def is_on() -> bool:
    """Whether the company's provider is configured."""
    return bool(settings.OIDC_ISSUER)


@lru_cache(maxsize=4)
def _client(issuer: str, client_id: str, secret: str) -> Any:
    from authlib.integrations.django_client import OAuth

    return OAuth().register(
        name="company",
        client_id=client_id,
        client_secret=secret,
        server_metadata_url=f"{issuer}/.well-known/openid-configuration",
        client_kwargs={
            "scope": settings.OIDC_SCOPES,
            "code_challenge_method": "S256",
            "default_timeout": SECONDS,
        },
    )


def _configured() -> Any:
    return _client(settings.OIDC_ISSUER, settings.OIDC_CLIENT_ID, settings.OIDC_CLIENT_SECRET)


def begin(request: HttpRequest, way_back: str) -> HttpResponse:
    """To the provider, with a state, a nonce and a challenge that the session remembers. Raises CompanyError."""
    try:
        answer: HttpResponse = _configured().authorize_redirect(request, way_back)
    except Exception as error:  # whatever the network or the provider does
        raise CompanyError(f"{type(error).__name__}: {error}") from None
    return answer


def finish(request: HttpRequest) -> User:
    """The user whom the provider has sent back, checked: state, code, signature, issuer, audience, times, nonce.

    Raises CompanyError: for anything that is not right, and for somebody who is no active user here.
    """
    try:
        token = _configured().authorize_access_token(
            request, claims_options={"iss": {"essential": True, "value": settings.OIDC_ISSUER}}
        )
    except Exception as error:
        raise CompanyError(f"{type(error).__name__}: {error}") from None
    claims = token.get("userinfo") or {}
    if claims.get("iss") != settings.OIDC_ISSUER:
        raise CompanyError("the identity token is not the configured issuer's")
    return user_of(subject=str(claims.get("sub") or ""), name=str(claims.get(settings.OIDC_USERNAME_CLAIM) or ""))


@transaction.atomic
def user_of(*, subject: str, name: str) -> User:
    """The active user of this subject, or, the first time, of this name. Raises CompanyError."""
    if not subject:
        raise CompanyError("the identity token names no subject")
    known = CompanyIdentity.objects.filter(issuer=settings.OIDC_ISSUER, subject=subject).select_related("user").first()
    user = known.user if known else User.objects.filter(username=name.replace("\0", "")).first() if name else None
    if user is None or not user.is_active:
        raise CompanyError("nobody here has this name")
    if known is None:
        if CompanyIdentity.objects.filter(user=user).exists():
            raise CompanyError("this user is tied to another subject of the provider")
        CompanyIdentity.objects.create(user=user, issuer=settings.OIDC_ISSUER, subject=subject)
        details = {"tied to": settings.OIDC_ISSUER}
        record(action=Action.USER_CHANGED, subject=f"user {user}", details=details, actor=user.get_username())
    return user
