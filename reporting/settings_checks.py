"""Combinations of settings that must not run, as one sentence each. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

LAPTOP_KEY = "insecure: for a laptop only"
_KNOWN_KEYS = {
    LAPTOP_KEY,
    "secret",
    "secret_key",
    "secret-key",
    "changeme",
    "change-me",
    "change me",
    "insecure",
    "key",
}
_KNOWN_BEGINNINGS = ("django-insecure-",)


def problem(
    *,
    debug: bool,
    secure_cookies: bool,
    secret_key: str,
    allowed_hosts: Sequence[str],
    behind_proxy: bool,
    trusted_proxies: Sequence[str],
    demo_anywhere: bool,
) -> str:
    """What is wrong with these settings together; empty when nothing is."""
    public = [host for host in allowed_hosts if not is_loopback(host)]
    problems = [
        ("*" in allowed_hosts, "ALLOWED_HOSTS must name the hosts; with * anybody's name would be believed"),
        (not debug and is_known_key(secret_key), "SECRET_KEY is one that everybody knows; set a long random text"),
        (
            bool(debug and public and not demo_anywhere),
            f"DEBUG shows the inside to everybody, and ALLOWED_HOSTS names {', '.join(public)}: run without DEBUG "
            "(or set DEMO_ANYWHERE=1 for a demo without real data)",
        ),
        (
            bool(not debug and not secure_cookies and public and not demo_anywhere),
            f"SECURE_COOKIES=0 is for a loopback address, and ALLOWED_HOSTS names {', '.join(public)}",
        ),
        (
            behind_proxy and not trusted_proxies,
            "BEHIND_TLS_PROXY needs TRUSTED_PROXIES: the addresses or networks of the proxy whose word is believed",
        ),
        *((not is_network(text), f"TRUSTED_PROXIES: “{text}” is no address or network") for text in trusted_proxies),
        *((is_everybody(text), f"TRUSTED_PROXIES: {text} would believe everybody") for text in trusted_proxies),
    ]
    return next((sentence for holds, sentence in problems if holds), "")


def is_known_key(key: str) -> bool:
    """Whether the key is one of those that stand in documents and examples."""
    return key.lower() in _KNOWN_KEYS or key.startswith(_KNOWN_BEGINNINGS)


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches the host by this name or address."""
    name = host.strip("[]").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


def is_network(text: str) -> bool:
    """Whether the text is an address or a network."""
    try:
        ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def is_everybody(text: str) -> bool:
    """Whether the network is all there is."""
    return is_network(text) and ip_network(text, strict=False).prefixlen == 0


def is_private_address(url: str) -> bool:
    """Whether nobody can listen in on the way to this address: TLS, or this machine."""
    parts = urlsplit(url)
    return bool(parts.hostname) and (
        parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))
    )
