"""The recipes of docs/api.md, run as they stand there, against a real web process."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from accounts.tokens import create_token
from local.checks import programs
from market import clock
from tests.dashboard.boards import SKETCH_DAY, store_price, store_sketch, store_trade
from tests.dashboard.people import a_trader
from tests.processes import wait_until
from tests.trades.frames import germany
from tests.web.serving import web_process

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]
DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "api.md"
RECIPES = dict(re.findall(r"```\w+ (\w+)\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL))


@pytest.fixture(scope="module")
def web(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with web_process(tmp_path_factory.mktemp("web") / "web.log") as address:
        yield address


@pytest.fixture
def environment(web: str) -> dict[str, str]:
    """The sketch on a board, and a token of its trader."""
    germany()
    token = create_token(user=a_trader(), name="recipes", now=clock.now())
    store_sketch()
    return {**os.environ, "LC_ALL": "C.UTF-8", "DESK": web, "TOKEN": token, "DAY": SKETCH_DAY.isoformat()}


def said_by(argv: list[str], environment: dict[str, str], folder: Path) -> str:
    done = subprocess.run(argv, env=environment, cwd=folder, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def total(environment: dict[str, str], tmp_path: Path) -> Decimal:
    board = json.loads(said_by(["sh", "-c", RECIPES["curl"]], environment, tmp_path))
    return Decimal(board["total"]["performance_eur"])


def test_curl(environment: dict[str, str], tmp_path: Path) -> None:
    assert total(environment, tmp_path) == Decimal(72)


@pytest.mark.parametrize("tool", ["pandas", "polars", "duckdb"])
def test_tables(environment: dict[str, str], tmp_path: Path, tool: str) -> None:
    python = programs.python_tools()
    if python is None and not os.environ.get("CI"):
        pytest.skip("the tools can't be installed here")
    said = said_by([str(python), "-c", RECIPES[tool]], environment, tmp_path)
    assert Decimal(said.strip()) == total(environment, tmp_path)


def test_libreoffice(environment: dict[str, str], tmp_path: Path) -> None:
    if programs.CALC.find() is None and not os.environ.get("CI"):
        pytest.skip("there is no LibreOffice here")
    said = said_by(["sh", "-c", RECIPES["libreoffice"]], environment, tmp_path)
    assert "12:00-13:00" in said
    assert "10.2" in said


def test_the_bot_follows_its_board(environment: dict[str, str], tmp_path: Path) -> None:
    assert len([line for line in RECIPES["bot"].splitlines() if line.strip()]) <= 32
    output = tmp_path / "bot.log"

    def last() -> dict[str, Any]:
        """The newest whole line."""
        said: dict[str, Any] = json.loads(output.read_text().rpartition("\n")[0].splitlines()[-1])
        return said

    with output.open("wb") as log:
        bot = subprocess.Popen([sys.executable, "-uc", RECIPES["bot"]], env={**environment, "AFTER": "0"}, stdout=log)
    try:
        wait_until(lambda: output.read_text().count("\n") >= 1, "the board as it is")
        before = output.read_text().count("\n")
        store_trade("18-19", "sell", "1", "20")
        wait_until(lambda: output.read_text().count("\n") > before, "the board as it is now")
        assert last()["trade_count"] == 5
        result = last()["performance_eur"]
        store_price("18-19", "30", at=clock.now())
        wait_until(lambda: last()["performance_eur"] != result, "the board by the new price")
    finally:
        bot.kill()
        bot.wait(10)
