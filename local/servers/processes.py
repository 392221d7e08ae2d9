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
from market.areas.presets import PRESETS

MARK = "DESK_OF_CHECKOUT"
"""Set in the environment of every process of a desk: how leftovers of a killed run are told from all others."""

LOOPBACK = "127.0.0.1"
EXCHANGE_PORT, PROVIDER_PORT = 8765, 8766
FIRST_MARKET = "DE"
PRODUCTS = ["--quarter-hours", "0.4", "--blocks", "0.03"]
"""What the simulators trade: two of five trades of a real German day are quarter hours."""

QUIET_WORKER = ("--without-gossip", "--without-mingle", "--without-heartbeat")
"""A worker says nothing of itself to others: nobody listens (reporting/celery.py has its sign of life)."""


class DeskError(Exception):
    """The desk can't start; the message is one sentence for people."""


@dataclass(frozen=True, slots=True)
class PlayedMarket:
    """A market beside the first one, wholly played here: an exchange and a provider of its own."""

    code: str
    exchange_port: int
    provider_port: int

    @property
    def addresses(self) -> str:
        """As `create_demo_markets` takes them."""
        return f"{self.code}=ws://{LOOPBACK}:{self.exchange_port},http://{LOOPBACK}:{self.provider_port}"


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
    more_markets: tuple[PlayedMarket, ...] = ()

    @property
    def played_codes(self) -> list[str]:
        """The markets whose exchange and provider are both played here."""
        first = [FIRST_MARKET] if self.exchange_port is not None and self.provider_port is not None else []
        return first + [market.code for market in self.more_markets]

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
    more = _more_markets(env.get("MARKETS", FIRST_MARKET), {port, exchange_port, provider_port})
    return Plan(var, environment["HOST"], port, postgres, redis, exchange_port, provider_port, environment, more)


def _more_markets(codes: str, taken: set[int | None]) -> tuple[PlayedMarket, ...]:
    """Those of MARKETS beside the first one, which every desk begins with."""
    wanted = [code.strip().upper() for code in codes.split(",")]
    unknown = [code for code in wanted if code not in PRESETS]
    if unknown:
        raise DeskError(f"MARKETS names “{unknown[0]}”; known are {', '.join(sorted(PRESETS))}.")
    if FIRST_MARKET not in wanted or len(set(wanted)) < len(wanted):
        raise DeskError(f"MARKETS names {FIRST_MARKET}, which every desk begins with, and each other market once.")
    found = []
    for number, code in enumerate((code for code in wanted if code != FIRST_MARKET), start=1):
        ports = []
        for usual in (EXCHANGE_PORT + 10 * number, PROVIDER_PORT + 10 * number):
            ports.append(_free_port(usual, taken))
            taken.add(ports[-1])
        found.append(PlayedMarket(code, *ports))
    return tuple(found)


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
    return None if name in env else _free_port(usual, taken)


def _free_port(usual: int, taken: set[int | None]) -> int:
    if usual not in taken and is_free(LOOPBACK, usual):
        return usual
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def programs(plan: Plan, root: Path) -> list[Program]:
    """The desk's processes in the order of their start; the groups stop in the opposite order."""
    outside = [*_servers(plan), *_simulators(plan, root)]
    celery = ["-m", "celery", "-A", "reporting"]
    worker = [*celery, "worker", *QUIET_WORKER, "--loglevel", "WARNING"]
    daphne = ["-m", "daphne", "-b", plan.host, "-p", str(plan.port), "--ping-interval", "10", "--ping-timeout", "20"]
    daphne += ["--websocket-max-message-size", "1048576", "--websocket-max-frame-size", "4096"]
    commands = {
        "beat": [*celery, "beat", "--loglevel", "WARNING"],
        "worker": worker,
        "listener": ["manage.py", "listen_trades", *(["--market", FIRST_MARKET] if plan.more_markets else [])],
        **{f"listener-{m.code}": ["manage.py", "listen_trades", "--market", m.code] for m in plan.more_markets},
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
    played = [("", FIRST_MARKET, plan.exchange_port, plan.provider_port)]
    played += [(f"-{m.code}", m.code, m.exchange_port, m.provider_port) for m in plan.more_markets]
    found = []
    for suffix, area, exchange_port, provider_port in played:
        commands: dict[str, tuple[int | None, list[str]]] = {
            "simulate_exchange": (exchange_port, PRODUCTS),
            "simulate_market_data": (provider_port, []),
        }
        for command, (port, options) in commands.items():
            if port is not None:
                argv = [sys.executable, "manage.py", command, "--area", area, *options, "--port", str(port)]
                found.append(Program(f"{command}{suffix}", "simulators", argv, root))
    return found
