"""Pure modules are covered whole by the tests that bear their names: each line, not merely by somebody's test.

`python -m local.checks.pure_rooms` runs those tests, and says in one sentence which lines of which module they leave
out. Lines that run when the module is read don't count. Which modules are pure says their contract in pyproject.toml.
Examples are the same everywhere (Hypothesis draws others where CI is set), so that no line is left out by bad luck.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from coverage import Coverage

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "var" / "test" / "pure-rooms.coverage"


def pure_modules() -> list[str]:
    """Dotted names, as the contract has them."""
    linter = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    contract = next(c for c in linter["contracts"] if c["name"].startswith("Pure rooms"))
    return [str(name) for name in contract["source_modules"]]


def test_of(module: str) -> Path | None:
    """The test that bears the module's name: in the folder that mirrors its own, or the only one so called."""
    app, *_, name = module.split(".")
    mirrored = ROOT / "tests" / Path(*module.split(".")[:-1]) / f"test_{name}.py"
    others = sorted((ROOT / "tests" / app).rglob(f"test_{name}.py"))
    return mirrored if mirrored.exists() else next(iter(others), None)


def tests() -> list[Path]:
    """Every test file of a pure module."""
    return sorted({path for module in pure_modules() if (path := test_of(module))})


def source_of(module: str) -> Path:
    return ROOT / f"{module.replace('.', '/')}.py"


def left_out(coverage: Coverage, module: str) -> list[int]:
    """The lines that the module's own test does not run."""
    own = {"", str(test_of(module))}  # without a test: when the module was read
    _, statements, *_ = coverage.analysis2(str(source_of(module)))
    contexts = coverage.get_data().contexts_by_lineno(str(source_of(module)))
    return [line for line in statements if not own & set(contexts.get(line, ()))]


def complaints(coverage: Coverage) -> Iterator[str]:
    for module in pure_modules():
        lines = left_out(coverage, module)
        if lines:
            numbers = ", ".join(map(str, lines))
            yield f"{module}: no test of its name runs line {numbers}; every line of a pure module needs one."


class ByFile:
    """A pytest plugin: what runs is on the account of the test file that runs it."""

    def __init__(self, coverage: Coverage) -> None:
        self._coverage = coverage

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        self._coverage.switch_context(str(item.path))


def main(arguments: list[str]) -> int:
    """Run the tests with `arguments` for pytest; 1 for a failed test or a line left out."""
    DATA.parent.mkdir(parents=True, exist_ok=True)
    include = [str(source_of(module)) for module in pure_modules()]
    coverage = Coverage(data_file=str(DATA), config_file=False, include=include)
    coverage.erase()
    coverage.start()
    options = ["-p", "no:xdist", "--hypothesis-profile=repeatable", *arguments]
    failed = pytest.main([*options, *map(str, tests())], plugins=[ByFile(coverage)])
    coverage.stop()
    said = list(complaints(coverage))
    print(*said, sep="\n")
    return 1 if failed or said else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
