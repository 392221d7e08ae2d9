"""What the simulators' command lines have in common: types of options, and a port that must be free."""

from __future__ import annotations

import socket
from argparse import ArgumentTypeError
from zoneinfo import ZoneInfo

from django.core.management.base import CommandError


def seconds(text: str) -> float:
    """A number of at least 0."""
    try:
        value = float(text)
    except ValueError:
        value = -1
    if not 0 <= value < 1e9:
        raise ArgumentTypeError(f"“{text}” is not a number of at least 0")
    return value


def share(text: str) -> float:
    """A number from 0 to 1."""
    value = seconds(text)
    if value > 1:
        raise ArgumentTypeError(f"“{text}” is not between 0 and 1")
    return value


def count(text: str) -> int:
    """A whole number above 0."""
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"“{text}” is not a whole number above 0")
    return int(text)


def market_zone(name: str | ZoneInfo) -> ZoneInfo:
    """A time zone by its name."""
    if isinstance(name, ZoneInfo):
        return name
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ArgumentTypeError(f"there is no time zone “{name}”") from None


def is_free(host: str, port: int) -> bool:
    """Whether a server could listen there now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except (OSError, OverflowError):
            return False
    return True


def free_or_complain(host: str, port: int, what: str) -> None:
    """CommandError, one sentence, when the port can't be had."""
    if not is_free(host, port):
        raise CommandError(f"The {what} can't listen on {host}:{port}: the port is taken or not allowed.")
