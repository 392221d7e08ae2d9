"""The desk of one checkout: which processes it has, in which environment; pure but for looking for free ports."""

from __future__ import annotations

import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from local.servers import embedded, installation
from local.servers.addresses import database_url, redis_url, socket_dir
from local.servers.supervision import Program
from local.simulators.arguments import is_free

MARK = "DESK_OF_CHECKOUT"
"""Set in the environment of every process of a desk: how leftovers of a killed run are told from all others."""

LOOPBACK = "127.0.0.1"
EXCHANGE_PORT, PROVIDER_PORT = 8765, 8766


class DeskError(Exception):
    """The desk can't start; the message is one sentence for people."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What will run: own stand-ins only for what the environment doesn't name."""

    var: Path
    host: str
    port: int
    postgres: bool
    redis: bool
    exchange_port: int | None
    provider_port: int | None
    environment: dict[str, str]

    @property
    def address(self) -> str:
        """Where a browser finds the desk."""
        host = {"0.0.0.0": LOOPBACK, "::": "[::1]", "": LOOPBACK}.get(self.host, self.host)  # noqa: S104
        return f"http://{host}:{self.port}"

    @property
    def debug(self) -> bool:
        """Whether the desk runs with DEBUG on."""
        return self.environment["DEBUG"].lower() in {"1", "true", "t", "yes", "y", "on"}

    @property
    def stand_ins(self) -> list[str]:
        """What of the outside is played here, in words."""
        named = {
            "PostgreSQL": self.postgres,
            "Redis": self.redis,
            "exchange simulator": self.exchange_port is not None,
            "market data simulator": self.provider_port is not None,
        }
        return [name for name, own in named.items() if own]


def make_plan(var: Path, given: Mapping[str, str]) -> Plan:
    """The plan for this environment. Raises DeskError for a PORT that can't be used."""
    env = {name: value for name, value in given.items() if value != ""}
    port = _port(env.get("PORT", "8000"))
    postgres, redis = "DATABASE_URL" not in env, "REDIS_URL" not in env
    exchange_port = _own_port("EXCHANGE_WS_URL", env, EXCHANGE_PORT, {port})
    provider_port = _own_port("MARKET_DATA_URL", env, PROVIDER_PORT, {port, exchange_port})
    defaults = {
        "DATABASE_URL": database_url(var),
        "REDIS_URL": redis_url(var),
        "EXCHANGE_WS_URL": f"ws://{LOOPBACK}:{exchange_port}",
        "MARKET_DATA_URL": f"http://{LOOPBACK}:{provider_port}",
        "DEBUG": "1",
        "HOST": LOOPBACK,
        "PORT": str(port),
        "PYTHONUNBUFFERED": "1",
    }
    environment = {**defaults, **env, MARK: str(var)}
    _only_at_home(environment)
    return Plan(var, environment["HOST"], port, postgres, redis, exchange_port, provider_port, environment)


def _only_at_home(environment: Mapping[str, str]) -> None:
    """A demo's logins and simulators are for this machine alone."""
    host, flag = environment["HOST"].strip("[]"), environment.get("DEMO_ANYWHERE", "0")
    is_here = host == "localhost" or host.startswith("127.") or host == "::1"
    is_demo = environment["DEBUG"].lower() in {"1", "true", "t", "yes", "y", "on"}
    if is_demo and not is_here and flag.lower() not in {"1", "true", "t", "yes", "y", "on"}:
        raise DeskError(
            f"HOST={host or '(empty)'} opens the demo to others, with DEBUG on and one password for everybody; "
            "DEMO_ANYWHERE=1 does it all the same."
        )


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise DeskError(f"PORT must be a number from 1 to 65535, not “{text}”.")
    return int(text)


def _own_port(name: str, env: Mapping[str, str], usual: int, taken: set[int | None]) -> int | None:
    """The port of our own stand-in, the usual one if it is free; None when the environment names another's."""
    if name in env:
        return None
    if usual not in taken and is_free(LOOPBACK, usual):
        return usual
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def programs(plan: Plan, root: Path) -> list[Program]:
    """The desk's processes in the order of their start; the groups stop in the opposite order."""
    outside = [*_servers(plan), *_simulators(plan, root)]
    celery = ["-m", "celery", "-A", "reporting"]
    worker = [*celery, "worker", "--without-gossip", "--without-mingle", "--loglevel", "WARNING"]
    daphne = ["-m", "daphne", "-b", plan.host, "-p", str(plan.port), "--ping-interval", "10", "--ping-timeout", "20"]
    daphne += ["--websocket-max-message-size", "1048576", "--websocket-max-frame-size", "4096"]
    commands = {
        "beat": [*celery, "beat", "--loglevel", "WARNING"],
        "worker": worker,
        "listener": ["manage.py", "listen_trades"],
        "web": [*daphne, "reporting.asgi:application"],
    }
    desk = [Program(name, "desk", [sys.executable, *argv], root) for name, argv in commands.items()]
    return [*outside, *desk]


def _servers(plan: Plan) -> list[Program]:
    servers_of_ours = []
    if plan.postgres:
        user = installation.account(plan.var)
        argv, folder = embedded.postgres_command(plan.var), installation.data_dir(plan.var)
        servers_of_ours.append(Program("postgres", "servers", argv, folder, user.name if user else None, "INT"))
    if plan.redis:
        servers_of_ours.append(Program("redis", "servers", embedded.redis_command(plan.var), socket_dir(plan.var)))
    return servers_of_ours


def _simulators(plan: Plan, root: Path) -> list[Program]:
    commands = {  # two of five trades of a real German day are quarter hours
        ("simulate_exchange", "--quarter-hours", "0.4"): plan.exchange_port,
        ("simulate_market_data",): plan.provider_port,
    }
    return [
        Program(command[0], "simulators", [sys.executable, "manage.py", *command, "--port", str(port)], root)
        for command, port in commands.items()
        if port is not None
    ]
