"""The desk's processes under supervisor: its configuration from a list of programs, and a client to talk to it."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import time
import xmlrpc.client
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from supervisor.xmlrpc import SupervisorTransport

from local.servers.addresses import socket_dir

_RPC = "supervisor.rpcinterface"
_TALK = (OSError, xmlrpc.client.Error)
_RETRIES = 10  # pauses of 1 s, 2 s, … 10 s; whoever watches the supervisor starts the program again after that
_LOG_BYTES, _LOG_BACKUPS = 5_000_000, 3


@dataclass(frozen=True, slots=True)
class Program:
    """One process of the desk. `group`: groups stop one after another, the members of one together."""

    name: str
    group: str
    argv: list[str]
    folder: Path
    user: str | None = None
    stop_signal: str = "TERM"
    stop_seconds: int = 8


@dataclass(frozen=True, slots=True)
class State:
    """What supervisor says about a program."""

    name: str
    group: str
    state: str
    pid: int
    detail: str


def configuration(var: Path, programs: list[Program]) -> str:
    """supervisord.conf. The last group stops first; nothing starts by itself."""
    sock = socket_dir(var) / "supervisor.sock"
    sections: list[tuple[str, dict[str, object]]] = [
        ("unix_http_server", {"file": sock, "chmod": "0700"}),
        (
            "rpcinterface:supervisor",
            {"supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"},
        ),
        ("supervisord", _daemon(var)),
    ]
    groups = list(dict.fromkeys(program.group for program in programs))
    for rank, group in enumerate(groups):
        names = ",".join(program.name for program in programs if program.group == group)
        sections.append((f"group:{group}", {"programs": names, "priority": rank + 1}))
    for rank, program in enumerate(programs):
        sections.append((f"program:{program.name}", _program(var, program, rank + 1)))
    return "\n".join(f"[{title}]\n{_lines(options)}" for title, options in sections)


def _lines(options: dict[str, object]) -> str:
    return "".join(f"{name} = {str(value).replace('%', '%%')}\n" for name, value in options.items())


def _daemon(var: Path) -> dict[str, object]:
    options: dict[str, object] = {
        "nodaemon": "true",
        "silent": "true",
        "logfile": var / "log" / "supervisord.log",
        "logfile_maxbytes": _LOG_BYTES,
        "logfile_backups": _LOG_BACKUPS,
        "pidfile": var / "run" / "supervisord.pid",
        "childlogdir": var / "log",
        "identifier": "desk",
    }
    return {**options, "user": "root"} if os.geteuid() == 0 else options


def _program(var: Path, program: Program, rank: int) -> dict[str, object]:
    options: dict[str, object] = {
        "command": shlex.join(program.argv),
        "directory": program.folder,
        "priority": rank,
        "autostart": "false",
        "autorestart": "true",
        "startsecs": 2,
        "startretries": _RETRIES,
        "stopsignal": program.stop_signal,
        "stopwaitsecs": program.stop_seconds,
        "redirect_stderr": "true",
        "stdout_logfile": var / "log" / f"{program.name}.log",
        "stdout_logfile_maxbytes": _LOG_BYTES,
        "stdout_logfile_backups": _LOG_BACKUPS,
    }
    return {**options, "user": program.user} if program.user else options


class Supervisor:
    """A supervisord in the foreground, as our child in a session of its own (Ctrl-C is for us alone)."""

    def __init__(self, var: Path, programs: list[Program], environment: dict[str, str]) -> None:
        self.var, self.programs, self.environment = var, programs, environment
        self.config = config_path(var)
        self._sock = socket_dir(var) / "supervisor.sock"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers; RuntimeError says what is wrong with it."""
        for folder in ("run", "log"):
            (self.var / folder).mkdir(parents=True, exist_ok=True)
        self._sock.unlink(missing_ok=True)
        self.config.write_text(configuration(self.var, self.programs))
        output = self.var / "log" / "supervisord.out"
        argv = [sys.executable, "-m", "supervisor.supervisord", "-n", "-c", str(self.config)]
        with output.open("wb") as file:
            self.process = subprocess.Popen(
                argv,
                cwd=self.var.parent,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )
        deadline = time.monotonic() + 20
        while not self.answers():
            if not self.is_alive() or time.monotonic() > deadline:
                raise RuntimeError(f"supervisord does not start; see {output}")
            time.sleep(0.05)

    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self.process is not None and self.process.poll() is None

    def answers(self) -> bool:
        """Whether it can be talked to."""
        try:
            self._rpc().supervisor.getState()
        except _TALK:
            return False
        return True

    def launch(self, program: Program) -> None:
        """Start one program, without waiting for it; one that runs already is fine."""
        with suppress(xmlrpc.client.Fault):
            self._rpc().supervisor.startProcess(f"{program.group}:{program.name}", False)

    def states(self) -> list[State]:
        """What every program does now; empty when supervisord is gone."""
        try:
            rows: Any = self._rpc().supervisor.getAllProcessInfo()
        except _TALK:
            return []
        return [State(r["name"], r["group"], r["statename"], r["pid"], r["spawnerr"]) for r in rows]

    def stop(self, seconds: float) -> None:
        """Stop all programs, the last group first, and supervisord itself."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._sock.unlink(missing_ok=True)

    def _rpc(self) -> xmlrpc.client.ServerProxy:
        transport = SupervisorTransport(None, None, f"unix://{self._sock}")
        return xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport)


def config_path(var: Path) -> Path:
    """Where a data folder's supervisord.conf is; it tells one checkout's supervisord from another's."""
    return var / "run" / "supervisord.conf"
