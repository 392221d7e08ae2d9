"""How a process speaks to PostgreSQL: Django's settings of one database, from its address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

import dj_database_url

from reporting import machines

LONGEST_SILENCE_IN_TRANSACTION = {"listener": 3, "web": 10, "worker": 10, "beat": 10, "import_trades": 10}
"""Seconds after which PostgreSQL ends a transaction whose process says nothing: one that is frozen, or whose machine is
gone, in the middle of storing trades. Who stores the same trades would wait for it as long as it is away."""

LONGEST_STATEMENT = {"web": 5}
"""Seconds after which PostgreSQL ends a statement: nobody looks at a page for which it takes longer."""


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who speaks: the kind of process, how many connections its pool may hold, and whether a pooler stands between that
    gives each transaction another connection (PgBouncer's transaction mode)."""

    role: str
    pool_size: int
    pooled: bool = False


def session_settings(role: str) -> dict[str, int]:
    """What a session of this kind of process has set, in milliseconds."""
    limits = {
        "idle_in_transaction_session_timeout": LONGEST_SILENCE_IN_TRANSACTION,
        "statement_timeout": LONGEST_STATEMENT,
    }
    return {name: seconds[role] * 1000 for name, seconds in limits.items() if role in seconds}


def split(url: str) -> tuple[SplitResult, list[tuple[str, str]]]:
    """The address with its first server alone, and all its servers as host and port ("" for the usual one).

    Several stand beside each other as libpq has them: `user@a:5432,b:5432/name`. ValueError: no address.
    """
    parts = urlsplit(url)
    login, at, places = parts.netloc.rpartition("@")
    servers = [place.partition(":") for place in places.split(",")] if "," in places else []
    if servers:
        parts = parts._replace(netloc=f"{login}{at}{places.split(',')[0]}")
    if not all(port.isdecimal() or not port for _, _, port in servers):
        raise ValueError("a port is a number")
    _ = parts.port
    return parts, [(host, port) for host, _, port in servers]


def database(url: str, speaker: Speaker) -> dict[str, Any]:
    """Django's settings: a pool under ASGI, one kept connection a thread elsewhere. ValueError: no address."""
    parts, servers = split(url)
    parsed: dict[str, Any] = dict(dj_database_url.parse(parts.geturl()))
    if servers:
        parsed["HOST"] = ",".join(unquote(host) for host, _ in servers)
        parsed["PORT"] = ",".join(port for _, port in servers)
    options: dict[str, Any] = parsed.setdefault("OPTIONS", {})
    # One of several that is gone costs each new connection this long before the next one is tried.
    options.setdefault("connect_timeout", 2 if servers else 5)
    runs_on = speaker.role in LONGEST_SILENCE_IN_TRANSACTION and speaker.role != "import_trades"
    gone = machines.for_libpq(machines.NOTICED_WITHIN if runs_on else machines.NOTICED_BY_A_COMMAND)
    for name, value in gone.items():
        options.setdefault(name, value)
    options.setdefault("application_name", f"reporting {speaker.role}".strip())
    # Statements that a connection runs again and again are parsed and planned by PostgreSQL once. Not to be had behind
    # a pooler: the next transaction's connection has never heard of them. What must be planned by its values is sent
    # within market.statements.planning.planned_by_values.
    options |= {"server_side_binding": True, "prepare_threshold": None if speaker.pooled else 3}
    _set_session(options, speaker)
    if speaker.role == "web":
        options["pool"] = {"min_size": 1, "max_size": speaker.pool_size, "timeout": 5}
    parsed["CONN_MAX_AGE"] = 0 if speaker.role == "web" else None
    parsed["CONN_HEALTH_CHECKS"] = True
    parsed["DISABLE_SERVER_SIDE_CURSORS"] = speaker.pooled
    return parsed


def _set_session(options: dict[str, Any], speaker: Speaker) -> None:
    """The session's limits; behind a pooler its configuration sets them (deploy/postgres/pgbouncer.ini)."""
    session = [options.pop("options", "")]
    if not speaker.pooled:
        session += [f"-c {name}={value}" for name, value in session_settings(speaker.role).items()]
    if any(session):
        options["options"] = " ".join(session).strip()


def standby(settings: dict[str, Any]) -> dict[str, Any]:
    """The same for a standby that is asked now and then, and may be away: a connection is opened for one answer."""
    options = {name: value for name, value in settings["OPTIONS"].items() if name != "pool"}
    options |= {**machines.for_libpq(seconds=3), "connect_timeout": 2, "prepare_threshold": None}
    return {**settings, "OPTIONS": options, "CONN_MAX_AGE": 0, "TEST": {"MIRROR": "default"}}
