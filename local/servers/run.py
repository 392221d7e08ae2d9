"""`make run`: the whole desk on this machine, from nothing to a live board; Ctrl-C stops it all.

Servers first, then migrations and demo logins, then everything else under supervisor. The environment (and .env)
decides what is played here: only what it doesn't name.
"""

from __future__ import annotations

import signal
import sys

from local.servers.banner import banner, demo_password, log_of, shortened

if __name__ == "__main__":  # Ctrl-C while the imports below are under way
    signal.signal(signal.SIGINT, lambda *_: sys.exit(0))

import fcntl
import os
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import NoReturn

import dotenv
import psutil  # type: ignore[import-untyped]

from local.servers import cluster, embedded, installation, leftovers
from local.servers.past import Past
from local.servers.processes import MARK, DeskError, Plan, make_plan, programs
from local.servers.supervision import Program, State, Supervisor
from local.simulators.arguments import is_free

ROOT = Path(__file__).resolve().parents[2]
VAR = ROOT / "var"
STOP_SECONDS = 20
_PATIENCE_SECONDS = 20
_TELL_AGAIN_SECONDS = 60
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(BaseException):
    """Somebody wants us to stop."""


def main() -> int:
    """Run the desk until it is told to stop. 0: it was; 1: it could not start or lost its supervisor."""
    for sign in _STOP_SIGNALS:
        signal.signal(sign, _raise_stopped)
    try:
        with _only_run(VAR):
            return run_desk(make_plan(VAR, {**_dotenv(), **os.environ}))
    except Stopped:
        say("Stopped.")
        return 0
    except (DeskError, installation.ServerError, RuntimeError) as error:
        print(error, file=sys.stderr)
        return 1


def _raise_stopped(_sign: int, _frame: FrameType | None) -> NoReturn:
    for sign in _STOP_SIGNALS:
        signal.signal(sign, signal.SIG_IGN)  # stopping is under way: asking twice changes nothing
    raise Stopped


def _dotenv() -> dict[str, str]:
    return {name: value for name, value in dotenv.dotenv_values(ROOT / ".env").items() if value}


def say(sentence: str) -> None:
    """A line on the console, at once; a console that is gone is no reason to stop badly."""
    with suppress(OSError):
        print(sentence, flush=True)


# --- one at a time, nothing left over -----------------------------------------------------------------------------
@contextmanager
def _only_run(var: Path) -> Iterator[None]:
    """Hold the checkout's lock; the system lets go of it however we end."""
    (var / "run").mkdir(parents=True, exist_ok=True)
    with (var / "run" / "lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            raise DeskError(f"The desk of this checkout runs already (process {lock.read().strip()}).") from None
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield


def end_leftovers(var: Path) -> int:
    """End every process that still carries this desk's mark: a killed run's, or our own. Returns how many."""
    running = [process for process in psutil.process_iter() if _carries_mark(process, str(var))]
    supervisors = [p for p in running if "supervisor.supervisord" in _arguments(p)]
    for group, seconds in ((supervisors, STOP_SECONDS), (running, STOP_SECONDS)):
        leftovers.end_processes(group, seconds)
    leftovers.end_leftovers(var)
    return len(running)


def _carries_mark(process: psutil.Process, var: str) -> bool:
    try:
        return bool(process.pid != os.getpid() and process.environ().get(MARK) == var)
    except (psutil.Error, OSError):
        return False


def _arguments(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except psutil.Error:
        return []


# --- the run ------------------------------------------------------------------------------------------------------
def run_desk(plan: Plan) -> int:
    """All of it, until Stopped is raised; whatever happens, nothing is left running."""
    if ended := end_leftovers(plan.var):
        say(f"Ended {ended} processes that an earlier run had left.")
    if not is_free(plan.host, plan.port):
        raise DeskError(f"Port {plan.port} on {plan.host} is taken or not allowed; choose another: PORT=8001 make run")
    say(f"Starting: {', '.join([*plan.stand_ins, 'web, listener, worker, beat'])}")
    cluster.prepare(plan.var, postgres=plan.postgres)
    everything = programs(plan, ROOT)
    supervisor = Supervisor(plan.var, everything, plan.environment)
    past = Past(plan)
    try:
        past.begin()
        supervisor.start()
        _start_servers(plan, supervisor, everything)
        _manage(plan, "migrate", "--noinput", "--verbosity", "0")
        if plan.debug:
            addresses = [market.addresses for market in plan.more_markets]
            _manage(plan, "create_demo", *addresses, "--password", demo_password(plan.var), *past.arguments())
            past.stored()
        for program in everything:
            supervisor.launch(program)
        return _watch(plan, supervisor, everything, past)
    finally:
        _ignore_signals()
        say("Stopping…")
        past.end()
        supervisor.stop(STOP_SECONDS)
        end_leftovers(plan.var)


def _ignore_signals() -> None:
    for sign in _STOP_SIGNALS:
        signal.signal(sign, signal.SIG_IGN)


def _start_servers(plan: Plan, supervisor: Supervisor, everything: list[Program]) -> None:
    """Start our own servers and wait until they answer."""
    checks: dict[str, Callable[[], bool]] = {
        "postgres": lambda: embedded.postgres_ready(plan.environment["DATABASE_URL"]),
        "redis": lambda: embedded.redis_ready(plan.environment["REDIS_URL"]),
    }
    ours = [program for program in everything if program.group == "servers"]
    for program in ours:
        supervisor.launch(program)
    deadline = time.monotonic() + embedded.START_SECONDS
    for program in ours:
        while not checks[program.name]():
            if time.monotonic() > deadline or not supervisor.is_alive():
                raise DeskError(f"{program.name} does not start; see {log_of(plan.var, program.name)}")
            time.sleep(0.05)


def _manage(plan: Plan, *arguments: str) -> None:
    """One management command; when it fails, its last line and the end."""
    command = [sys.executable, "manage.py", *arguments]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=plan.environment,
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,
    )
    if done.returncode:
        last_line = (done.stderr.strip() or done.stdout.strip()).rpartition("\n")[2]
        raise DeskError(f"{arguments[0]} failed: {last_line}")


# --- watching -----------------------------------------------------------------------------------------------------
def _watch(plan: Plan, supervisor: Supervisor, everything: list[Program], past: Past) -> int:
    """Until we are told to stop: the banner once all is ready, then what the first page does without; a word about what
    fails, a new try for what gave up."""
    by_name = {program.name: program for program in everything}
    told: dict[str, float] = {}
    ready, began = False, time.monotonic()
    while supervisor.is_alive():
        if not ready:
            problem = readiness_problem(plan.address)
            ready = not problem
            if ready:
                say(banner(plan, time.monotonic() - began))
                past.go_on()
            elif time.monotonic() - began > _PATIENCE_SECONDS and _is_news("readiness", told):
                say(f"Not ready yet: {problem}; logs: {shortened(plan.var / 'log')}/")
        for state in supervisor.states():
            _look_after(state, by_name[state.name], supervisor, told, plan.var)
        time.sleep(1 if ready else 0.2)
    raise DeskError(f"supervisord has ended unexpectedly; see {log_of(plan.var, 'supervisord')}")


def _look_after(state: State, program: Program, supervisor: Supervisor, told: dict[str, float], var: Path) -> None:
    """Say that a program keeps failing, at most once a minute; start again what supervisor has given up."""
    if state.state == "FATAL":
        supervisor.launch(program)
    if state.state not in {"BACKOFF", "FATAL", "EXITED"}:
        return
    if _is_news(state.name, told):
        say(f"{state.name} has ended and is started again; its log: {log_of(var, state.name)}")


def _is_news(what: str, told: dict[str, float]) -> bool:
    """Whether this has not been told within the last minute; from now on it has."""
    now = time.monotonic()
    if now - told.get(what, -_TELL_AGAIN_SECONDS) < _TELL_AGAIN_SECONDS:
        return False
    told[what] = now
    return True


def readiness_problem(address: str) -> str:
    """Empty when /readyz answers 200, else what it answers."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{address}/readyz", timeout=3) as answer:
            return "" if answer.status == 200 else f"/readyz answers {answer.status}"
    except urllib.error.HTTPError as error:
        with error:
            return f"/readyz answers {error.code}: {error.read(200).decode(errors='replace')}"
    except (OSError, ValueError):
        return "/readyz does not answer"


if __name__ == "__main__":
    sys.exit(main())
