"""What `make run` says once all is ready: what runs, where, and who can log in."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from local.servers.processes import Plan

ROOT = Path(__file__).resolve().parents[2]


def demo_password(var: Path) -> str:
    """The demo logins' password: one for each checkout, made once, readable by its owner only."""
    path = var / "demo-password"
    if path.exists() and path.read_text().strip():
        return path.read_text().strip()
    password = "-".join(secrets.token_hex(3) for _ in range(3))
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(f"{password}\n")
    return password


def banner(plan: Plan, seconds: float) -> str:
    """What runs, where, and who can log in."""
    played = ", ".join(plan.stand_ins) or "nothing: all of it is named by the environment"
    lines = [
        f"The desk runs: {plan.address}   (ready after {seconds:.0f} s)",
        "  processes  web, listener, worker, beat",
        f"  played     {played}",
        *_logins(plan),
        f"  logs       {shortened(plan.var / 'log')}/",
        "Ctrl-C stops everything.",
    ]
    return "\n".join(["", *lines, ""])


def _logins(plan: Plan) -> list[str]:
    if not plan.debug:
        return ["  logins     those of the database (demo logins are made with DEBUG on only)"]
    path = plan.var / "demo-password"
    return [
        "  logins     trader_1 … trader_5 (the own board), head (all boards), admin (all boards and /admin/)",
        f"  password   {demo_password(plan.var)}   (for all of them; kept in {shortened(path)})",
    ]


def log_of(var: Path, name: str) -> str:
    return shortened(var / "log" / f"{name}.log")


def shortened(path: Path) -> str:
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)
