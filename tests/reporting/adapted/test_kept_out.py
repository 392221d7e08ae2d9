"""Packages that others load only because they are installed."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys

import pytest

from reporting.adapted.kept_out import kept_out


@pytest.mark.usefixtures("_forgotten")
def test_it_is_not_there_until_the_block_ends() -> None:
    with kept_out("colorsys"), pytest.raises(ImportError):
        importlib.import_module("colorsys")
    assert importlib.import_module("colorsys").__name__ == "colorsys"


@pytest.fixture
def _forgotten() -> None:
    sys.modules.pop("colorsys", None)


def test_what_is_loaded_already_stays() -> None:
    before = sys.modules["json"]
    with kept_out("json"):
        assert importlib.import_module("json") is before
    assert sys.modules["json"] is before


def test_the_end_comes_with_an_error_too() -> None:
    with pytest.raises(KeyError), kept_out("no_such_package"):
        raise KeyError
    assert "no_such_package" not in sys.modules


@pytest.mark.parametrize("module", ["reporting.logs", "reporting.celery"])
def test_a_process_loads_nothing_of_them(module: str) -> None:
    names = ("rich", "pygments", "twisted")
    code = f"import {module}, sys; print([name for name in {names} if name in sys.modules])"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}  # with all that is there
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environment)
    assert said.stdout.strip() == "[]"
