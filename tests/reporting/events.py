"""The events that the code logs, read from its source: log.<level>("event", …)."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.processes import ROOT

APPS = ("reporting", "market", "audit", "accounts", "trades", "prices", "dashboard")
LEVELS = {"debug", "info", "warning", "error", "critical", "exception"}


def logged() -> Iterator[tuple[str, str, str]]:
    """(event, level, file) for every call in the apps; AssertionError for an event that is no plain name."""
    for app in APPS:
        for path in sorted((ROOT / app).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                level = _level(node)
                if level:
                    assert isinstance(node, ast.Call)
                    first = node.args[0]
                    assert isinstance(first, ast.Constant), f"{path}:{node.lineno} logs no plain name"
                    yield str(first.value), level, path.relative_to(ROOT).as_posix()


def _level(node: ast.AST) -> str | None:
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in LEVELS):
        return None
    of = node.func.value
    name = of.id if isinstance(of, ast.Name) else of.attr if isinstance(of, ast.Attribute) else ""
    return node.func.attr if name in {"log", "_log"} else None
