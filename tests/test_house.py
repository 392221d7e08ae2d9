"""The house's own rules: how long files and functions are, where modules lie, who imports whom, no sleeps in tests."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from local.checks.pure_rooms import pure_modules

ROOT = Path(__file__).resolve().parent.parent
LONGEST_FILE, NINETY_FIVE_OF_A_HUNDRED_FILES = 400, 260
LONGEST_FUNCTION, NINETY_FIVE_OF_A_HUNDRED_FUNCTIONS = 40, 25
MOST_MODULES = 16
FEWEST_DOCSTRINGS = 0.75
EDGES = {
    ("dashboard", "trades"): {"queries", "past", "signals", "models", "trace", "feed.status", "ledger.traders"},
    ("dashboard", "prices"): {
        "queries",
        "past",
        "signals",
        "models",
        "polling.priority",
        "publications",
        "observations",
        "rhythms",
        "feed",
    },
    ("trades", "accounts"): {"audit.log", "audit.models", "audit.read_only_admin"},
    ("prices", "accounts"): {"audit.read_only_admin"},
}
"""What one app takes of another: the edges stay thin."""
WAITING = "tests/processes.py"
"""Where tests wait for conditions: the one loop that sleeps between two looks."""


@cache
def sources() -> dict[str, str]:
    """Path -> text of every module that git knows."""
    listed = subprocess.run(["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=True)
    paths = [path for path in listed.stdout.splitlines() if "/migrations/" not in path]
    return {path: (ROOT / path).read_text() for path in paths if (ROOT / path).exists()}


@cache
def tree(path: str) -> ast.Module:
    return ast.parse(sources()[path])


def product() -> list[str]:
    return [path for path in sources() if not path.startswith("tests/")]


def functions(path: str) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    yield from (n for n in ast.walk(tree(path)) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))


def lines_of(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def quantile(numbers: list[int]) -> int:
    """The 95 % quantile."""
    return sorted(numbers)[int(0.95 * len(numbers))]


def test_files_are_short() -> None:
    lengths = {path: len(text.splitlines()) for path, text in sources().items()}
    long = {path: count for path, count in lengths.items() if count > LONGEST_FILE}
    assert not long, f"{long}: split what has more than one owner; {LONGEST_FILE} lines are the most."
    assert quantile([lengths[path] for path in product()]) <= NINETY_FIVE_OF_A_HUNDRED_FILES


def test_functions_are_short() -> None:
    lengths = {f"{path}:{node.lineno} {node.name}": lines_of(node) for path in sources() for node in functions(path)}
    long = {name: count for name, count in lengths.items() if count > LONGEST_FUNCTION}
    assert not long, f"{long}: {LONGEST_FUNCTION} lines are the most."
    assert quantile(list(lengths.values())) <= NINETY_FIVE_OF_A_HUNDRED_FUNCTIONS


def test_folders_hold_few_modules() -> None:
    counts = Counter(str(Path(path).parent) for path in sources() if not path.endswith("__init__.py"))
    full = {folder: count for folder, count in counts.items() if count > MOST_MODULES}
    assert not full, f"{full}: {MOST_MODULES} modules directly in a folder are the most; make a room for some."


def test_what_is_public_says_what_it_is() -> None:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    public = [n for path in product() for n in ast.walk(tree(path)) if isinstance(n, kinds) and n.name[0] != "_"]
    said = sum(bool(ast.get_docstring(node)) for node in public)
    assert said / len(public) >= FEWEST_DOCSTRINGS
    silent = [path for path in product() if sources()[path].strip() and not ast.get_docstring(tree(path))]
    small = {path for path in silent if path.endswith(("apps.py", "admin.py"))}
    assert set(silent) == small, f"{sorted(set(silent) - small)}: say in the first line what the module owns."


def test_tests_wait_for_conditions_and_never_sleep() -> None:
    sleeps = [line for path in sources() if path.startswith("tests/") for line in sleeping(path)]
    assert not sleeps, "\n".join(sleeps)


def sleeping(path: str) -> Iterator[str]:
    """Calls that let time pass, a sentence each; drills may, and sleep(0) only lets others run."""
    if path.startswith("tests/drills/") or path == WAITING:
        return
    for node in ast.walk(tree(path)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        lets_run = bool(node.args) and isinstance(node.args[0], ast.Constant) and node.args[0].value == 0
        if node.func.attr in {"sleep", "wait_for_timeout"} and not lets_run:
            yield f"{path}:{node.lineno} sleeps: wait for a condition instead (tests/processes.py has wait_until)."


def imported(path: str) -> Iterator[tuple[int, str]]:
    """Line and dotted name of everything that a module imports."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)


@pytest.mark.parametrize("edge", EDGES, ids="-".join)
def test_edges_between_apps_are_thin(edge: tuple[str, str]) -> None:
    taker, giver = edge
    doors = {f"{giver}.{name}" for name in EDGES[edge]}
    broken = [
        f"{path}:{line} imports {name}: {taker} takes of {giver} only {', '.join(sorted(EDGES[edge]))}."
        for path in product()
        if path.startswith(f"{taker}/")
        for line, name in imported(path)
        if name.startswith(f"{giver}.") and not any(name == door or name.startswith(f"{door}.") for door in doors)
    ]
    assert not broken, "\n".join(broken)


def test_every_top_folder_is_under_contract() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    placed = set(settings["importlinter"]["root_packages"]) | {"tests"}
    folders = {path.split("/")[0] for path in sources() if "/" in path}
    assert folders <= placed, f"{sorted(folders - placed)}: place it in the import contracts of pyproject.toml."
    assert set(settings["mypy"]["packages"]) == placed - {"tests"}


@pytest.mark.parametrize("module", pure_modules())
def test_a_pure_module_has_a_test_of_its_name(module: str) -> None:
    name = f"test_{module.rpartition('.')[2]}.py"
    assert any(path.endswith(f"/{name}") for path in sources()), f"{module} is pure: cover it in a {name}."


CLOCKS = re.compile(r"\b(?:timezone\.now|datetime\.now|datetime\.utcnow|time\.time|time\.time_ns|date\.today)\b")
"""What reads a clock that can be moved."""
READS_A_CLOCK = {"market/clock.py"}


def test_only_the_desks_clock_reads_a_clock() -> None:
    apps = ("accounts/", "dashboard/", "market/", "prices/", "reporting/", "trades/")
    found = [
        f"{path}:{number} asks a clock that can be moved: take market.clock.now, or time.monotonic for a length."
        for path, text in sources().items()
        if path.startswith(apps) and path not in READS_A_CLOCK and "/migrations/" not in path
        for number, line in enumerate(text.splitlines(), 1)
        if CLOCKS.search(line)
    ]
    assert not found, "\n".join(found)
