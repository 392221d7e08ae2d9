"""Programs of the system that tests drive: browsers, a pooler, spreadsheets and tools that people open files with."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / "var" / "tools"
TOOLS_PYTHON = TOOLS / "venv" / "bin" / "python"
SHEETJS = "xlsx@0.18.5"
_CHROMIUM_NAMES = (
    *("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"),
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
_FIREFOX_NAMES = ("firefox-esr", "firefox", "/Applications/Firefox.app/Contents/MacOS/firefox")
_QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "stdin": subprocess.DEVNULL}


class ProgramError(Exception):
    """A program is missing; the message is one sentence for people."""


@dataclass(frozen=True, slots=True)
class Program:
    """As the system has it: an environment's variable that names another, its names, its Debian package."""

    name: str
    variable: str
    names: tuple[str, ...]
    package: str

    def find(self) -> str | None:
        """The first that is there; what the variable names goes before."""
        named = os.environ.get(self.variable)
        return next((path for name in ([named] if named else self.names) if (path := shutil.which(name))), None)

    def need(self) -> str:
        """Find it; as root on Debian install it. ProgramError says how to get it otherwise."""
        if not self.find():
            install([self])
        path = self.find()
        if not path:
            raise ProgramError(
                f"The tests need {self.name}: install it (Debian: apt-get install {self.package}) or name it in "
                f"{self.variable}."
            )
        return path


CHROMIUM = Program("Chromium", "CHROMIUM", _CHROMIUM_NAMES, "chromium-headless-shell")
"""The system's Chromium or Chrome, the one without a screen first: it takes half."""
FIREFOX = Program("Firefox", "FIREFOX", _FIREFOX_NAMES, "firefox-esr")
CALC = Program("LibreOffice Calc", "SOFFICE", ("soffice", "libreoffice"), "libreoffice-calc-nogui")
GNUMERIC = Program("Gnumeric", "SSCONVERT", ("ssconvert",), "gnumeric")
PGBOUNCER = Program("PgBouncer", "PGBOUNCER", ("pgbouncer", "/usr/sbin/pgbouncer"), "pgbouncer")
REDIS_WITH_TLS = Program("Redis with TLS", "REDIS_WITH_TLS", ("redis-check-rdb",), "redis-tools")
"""Debian's server by its other name: its own package would put one on PATH, before ours (local/servers)."""
CADDY = Program("Caddy", "CADDY", ("caddy",), "caddy")
BROWSERS, SPREADSHEETS = (CHROMIUM, FIREFOX), (CALC, GNUMERIC)
ALL = (*BROWSERS, *SPREADSHEETS, PGBOUNCER)


def install(programs: Iterable[Program]) -> None:
    """Those that are missing, at once, where this is Debian and we are root. Says what; fails silently."""
    missing = [program for program in programs if not program.find()]
    if not missing or os.geteuid() != 0 or not shutil.which("apt-get"):
        return
    print(f"Installing {', '.join(program.name for program in missing)} (apt-get)…", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    packages = [program.package for program in missing]
    for arguments in (["update"], ["install", "-y", "--no-install-recommends", *packages]):
        subprocess.run(["apt-get", "-qq", *arguments], check=False, env=environment, **_QUIET)  # type: ignore[call-overload]


def install_all() -> None:
    """Everything that tests drive and that can be had here."""
    install(ALL)
    python_tools()
    sheetjs()


def need_all() -> None:
    """The browsers must be there; a build server must have the spreadsheets, too."""
    for program in ALL if os.environ.get("CI") else BROWSERS:
        program.need()


def python_tools() -> Path | None:
    """A Python with pandas, polars, DuckDB and csvkit (requirements-tools.txt); None where none can be had."""
    lock = ROOT / "requirements-tools.txt"
    stamp, digest = TOOLS / "stamp", hashlib.sha256(lock.read_bytes()).hexdigest()
    TOOLS.mkdir(parents=True, exist_ok=True)
    with (TOOLS / "lock").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        if not (stamp.exists() and stamp.read_text() == digest):
            shutil.rmtree(TOOLS / "venv", ignore_errors=True)
            uv = str(ROOT / ".venv" / "bin" / "uv")
            make = [uv, "venv", "--quiet", "--python", "3", str(TOOLS / "venv")]
            fill = [uv, "pip", "install", "--quiet", "--python", str(TOOLS_PYTHON), "--require-hashes", "-r", str(lock)]
            try:
                done = all(subprocess.run(argv, cwd=ROOT, check=False).returncode == 0 for argv in (make, fill))
            except OSError:  # no uv for this machine
                done = False
            if not done:
                return None
            stamp.write_text(digest)
    return TOOLS_PYTHON


def sheetjs() -> Path | None:
    """The folder that holds SheetJS for Node.js; None where there is no Node.js, or no registry."""
    folder = TOOLS / "node"
    folder.mkdir(parents=True, exist_ok=True)
    with (TOOLS / "lock").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        if not (folder / "node_modules" / "xlsx").exists() and shutil.which("npm"):
            argv = [
                "npm",
                "install",
                "--prefix",
                str(folder),
                "--ignore-scripts",
                "--no-package-lock",
                "--silent",
                SHEETJS,
            ]
            subprocess.run(argv, check=False, **_QUIET)  # type: ignore[call-overload]
    return folder if (folder / "node_modules" / "xlsx").exists() and shutil.which("node") else None
