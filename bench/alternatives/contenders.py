"""Who is measured: how each is started on a free port, which process it is, and how its page is opened and watched."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from django.db import connection

from bench.alternatives import environment
from bench.cases.screen import NOBODY, counting, floor_pages, signed_in
from bench.desk import DAY, ROOT, Login, answers, ended, free_port, process, wait_until, web
from local.simulators.exchange import ScriptedExchange

APPS = "bench.alternatives.apps"

# As bench.cases.screen's WATCH, for tables that others make: the fifth column of the hour's row, in shadow roots, too.
WATCH = """() => {
  const seen = (window.seen = []), roots = new Set();
  const observer = new MutationObserver(() => note());
  const enter = (root) => {
    if (!roots.has(root)) observer.observe(root, {subtree: true, childList: true, characterData: true});
    roots.add(root);
    for (const element of root.querySelectorAll("*")) if (element.shadowRoot) enter(element.shadowRoot);
  };
  const find = () => {
    for (const root of roots) for (const row of root.querySelectorAll("tr, .ag-row, .tabulator-row")) {
      const cells = [...row.querySelectorAll("th, td, .ag-cell, .tabulator-cell")];
      const texts = cells.map((cell) => cell.textContent.trim());
      const at = texts.indexOf("12-13");
      if (at >= 0 && texts[at + 4]) return Number(texts[at + 4].replace(/\\D/g, ""));
    }
    return 0;
  };
  const note = () => {
    const shown = find() || (enter(document), find()), now = performance.timeOrigin + performance.now();
    while (seen.length < shown) seen.push(now);
  };
  note();
}"""


@dataclass(frozen=True)
class Running:
    """A contender that answers. `counting` waits until its page shows the table; the page counts trades then."""

    pid: int
    """Of its server, whose children count with it."""
    address: str
    counting: Callable[[Any], Any]
    context: Callable[[Any], Any] = lambda browser: browser.new_context()
    """Of a browser; one for all pages, so that only the first loads what can be kept."""


@dataclass(frozen=True)
class Contender:
    """`exchange` sends the trades of `trader_id` that it shows."""

    name: str
    exchange: ScriptedExchange
    trader_id: str
    start: Callable[[], AbstractContextManager[Running]]


def contenders(folder: Path, login: Login, exchange: ScriptedExchange, bare: ScriptedExchange) -> list[Contender]:
    """The bare pipeline, which hears an exchange of its own, our desk, and the alternatives.

    All but the first show the positions that our listener keeps for `login`'s trader.
    """
    python, assets = str(environment.python(folder)), environment.node_modules(folder)
    start = partial(_alternative, folder, login.trader_id)
    listed = [
        Contender("a bare pipeline", bare, NOBODY.trader_id, partial(_bare_pipeline, bare)),
        Contender("the desk", exchange, login.trader_id, partial(_desk, login)),
    ]
    if assets is not None:
        pushed = partial(_perspective, start, [python, "-m", f"{APPS}.with_perspective"], assets)
        listed.append(Contender("Perspective, pushed", exchange, login.trader_id, pushed))
    else:
        print("  without Perspective: its part in the browser needs npm", flush=True)
    for name, (argv, path) in _TIMED.items():
        listed.append(Contender(f"{name}, 1 s", exchange, login.trader_id, partial(start, [python, *argv], path)))
    return listed


def _file(module: str) -> str:
    return str(Path(__file__).parent / "apps" / f"{module}.py")


_TIMED: dict[str, tuple[list[str], str]] = {
    "NiceGUI": (["-m", f"{APPS}.with_nicegui"], ""),
    "Panel": (
        ["-m", "panel", "serve", _file("with_panel"), "--address=127.0.0.1", "--port={port}",
         "--allow-websocket-origin=127.0.0.1:{port}"],
        "with_panel",
    ),
    "Dash": (
        ["-m", "gunicorn", "--bind=127.0.0.1:{port}", "--workers=1", "--threads=8", f"{APPS}.with_dash:server"],
        "",
    ),
    "Streamlit": (
        ["-m", "streamlit", "run", _file("with_streamlit"), "--server.address=127.0.0.1", "--server.port={port}",
         "--server.headless=true", "--server.fileWatcherType=none", "--browser.gatherUsageStats=false"],
        "",
    ),
}  # fmt: skip
"""How each documentation starts it, in one process, and its page's path."""


@contextmanager
def _alternative(folder: Path, trader_id: str, argv: list[str], path: str, **environ: str) -> Iterator[Running]:
    port = str(free_port())
    names = {"TRADER": trader_id, "DAY": DAY.isoformat(), "PORT": port, "PYTHONPATH": str(ROOT), **environ}
    command = [word.replace("{port}", port) for word in argv]
    page = f"http://127.0.0.1:{port}/{path}"
    with (
        (folder / "alternatives.log").open("ab") as log,
        ended(subprocess.Popen(command, cwd=ROOT, env={**os.environ, **names}, stdout=log, stderr=log)) as server,
    ):
        wait_until(lambda: answers(page), 60, f"an answer of {page} (what it says: {log.name})")
        yield Running(server.pid, page, _counting)


def _counting(page: Any) -> Any:
    page.evaluate(WATCH)
    wait_until(lambda: page.evaluate("window.seen.length"), 90, f"a trade count at {page.url}")
    return page


@contextmanager
def _perspective(
    start: Callable[..., AbstractContextManager[Running]], argv: list[str], assets: Path
) -> Iterator[Running]:
    """With what pushes: a trigger that says so when positions have changed."""
    with _statements(_TRIGGER, _NO_TRIGGER), start(argv, "", ASSETS=str(assets)) as running:
        yield running


_TRIGGER = """
    CREATE OR REPLACE FUNCTION bench_positions_changed() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN NOTIFY bench_positions; RETURN NULL; END $$;
    CREATE OR REPLACE TRIGGER bench_positions_changed AFTER INSERT OR UPDATE ON trades_position
      FOR EACH STATEMENT EXECUTE FUNCTION bench_positions_changed()"""
_NO_TRIGGER = "DROP FUNCTION bench_positions_changed CASCADE"


@contextmanager
def _statements(first: str, last: str) -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute(first)
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(last)


@contextmanager
def _desk(login: Login) -> Iterator[Running]:
    with web() as (address, pid):
        yield Running(pid, address + login.board, counting, lambda browser: signed_in(browser, address, login))


@contextmanager
def _bare_pipeline(exchange: ScriptedExchange) -> Iterator[Running]:
    port = free_port()
    with process("-m", "bench.floors.pipeline", exchange.url, str(port)) as pipeline, floor_pages(port) as home:
        exchange.wait_for_connections(1, 30)
        yield Running(pipeline.pid, home, counting)
