"""Whose request this is: the address of the client, as far as it can be believed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest, HttpResponse

Network = IPv4Network | IPv6Network
UNKNOWN = "unknown"
_FORWARDED = ("HTTP_X_FORWARDED", "HTTP_FORWARDED")


def client_address(*, peer: str, forwarded: str, trusted: Sequence[Network]) -> str:
    """The client's address: the peer, or, if that is one of our proxies, the last one that no proxy of ours wrote.

    `forwarded` is X-Forwarded-For: whoever sends the request may write anything into it, but each proxy adds the peer
    that it saw at the end. So it is read from the end, and only as long as our own proxies say so.
    """
    address = _normal(peer)
    hops = [part.strip() for part in forwarded.split(",") if part.strip()]
    while hops and is_trusted(address, trusted):
        before = _normal(hops.pop())
        if before == UNKNOWN:
            break
        address = before
    return address


def is_trusted(address: str, trusted: Sequence[Network]) -> bool:
    """Whether the address is one of our proxies."""
    return address != UNKNOWN and any(ip_address(address) in network for network in trusted)


def _normal(text: str) -> str:
    """The address without a zone or brackets, an IPv4 one in its own form; "unknown" for what is none."""
    try:
        address = ip_address(text.strip("[]").partition("%")[0])
    except ValueError:
        return UNKNOWN
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)


@lru_cache(maxsize=8)
def networks(texts: tuple[str, ...]) -> tuple[Network, ...]:
    """Addresses and networks as the settings write them. Raises ValueError."""
    return tuple(ip_network(text, strict=False) for text in texts)


def address_of(request: HttpRequest | None) -> str:
    """The address of a request's client; "unknown" without one."""
    if request is None:
        return UNKNOWN
    return client_address(
        peer=request.META.get("REMOTE_ADDR") or "",
        forwarded=request.META.get("HTTP_X_FORWARDED_FOR", ""),
        trusted=networks(tuple(settings.TRUSTED_PROXIES)),
    )


class OnlyOurProxies:
    """Middleware: what a stranger says about itself in forwarded headers is not heard by anybody below."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        peer = _normal(request.META.get("REMOTE_ADDR") or "")
        if not is_trusted(peer, networks(tuple(settings.TRUSTED_PROXIES))):
            for name in [
                name for name in request.META if name.startswith("HTTP_X_FORWARDED") or name == "HTTP_FORWARDED"
            ]:
                del request.META[name]
        return self.get_response(request)
