"""The page's own scripts against a simulated server, network and clock: a random walk over what can go wrong.

The oracle is what a fresh GET of the simulated server would show. Five seconds after any single trouble is over the
total is the sum of the rows, every row with trades is there, and the page says "live" only if it is.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route

from dashboard.render.client_messages import page_messages
from tests.processes import ROOT

pytestmark = pytest.mark.browser

STEPS = 2000
SEED = int(os.environ.get("WALK_SEED") or random.SystemRandom().randrange(10**6))
STATIC = ROOT / "static"
WALK = (Path(__file__).parent / "walk.js").read_text()
PAGE = """<!DOCTYPE html><html lang="en"><head><title>Board</title><script src="/walk.js"></script>
<script src="/static/vendor/idiomorph-0.8.0/idiomorph.min.js"></script></head>
<body class="desk"><header><p id="link-state"><span></span><small></small></p><p id="as-of"></p><p id="news"></p>
<script type="application/json" id="words">WORDS</script><div id="here"></div></header>
<script>const made = prepare(); document.getElementById("here").outerHTML = made.feeds;
document.body.insertAdjacentHTML("beforeend", made.board);</script>
<script type="module" src="/static/js/live.js"></script></body></html>"""


def answer(route: Route) -> None:
    """The page, the walk and the product's own scripts, from disk."""
    path = route.request.url.removeprefix("http://desk.test").partition("?")[0]
    if path == "/walk.js":
        return route.fulfill(body=WALK, content_type="text/javascript")
    if path.startswith("/static/"):
        kind = "text/javascript" if path.endswith(".js") else "text/css"
        return route.fulfill(body=(STATIC / path.removeprefix("/static/")).read_bytes(), content_type=kind)
    return route.fulfill(body=PAGE.replace("WORDS", json.dumps(page_messages())), content_type="text/html")


@pytest.fixture
def board(chromium: Browser) -> Iterator[Page]:
    """A board of the simulated server, open and live."""
    page = chromium.new_page()
    page.route("**/*", answer)
    page.on("pageerror", lambda error: pytest.fail(f"the page broke: {error}"))
    page.goto("http://desk.test/boards/t/2026-11-30/")
    page.wait_for_function("() => document.documentElement.dataset.link !== undefined || letPass(100)")
    page.evaluate("letPass(3000)")
    assert page.evaluate("document.documentElement.dataset.link") == "live"
    yield page
    page.close()


def say(page: Page) -> dict[str, Any]:
    return dict(
        page.evaluate(
            """() => ({ link: document.documentElement.dataset.link, wrong: tools.wrong(),
                said: document.getElementById("link-state").innerText.replace(/\\s+/g, " ").trim() })"""
        )
    )


@pytest.mark.timeout(600)
def test_a_walk_over_everything_that_can_go_wrong(board: Page) -> None:
    print(f"WALK_SEED={SEED}")
    result = board.evaluate("([seed, steps]) => walk(seed, steps)", [SEED, STEPS])
    assert result["found"] == [], f"WALK_SEED={SEED}: {result['found']}"
    assert len(result["seen"]) == 15, "every trouble was met"
    assert sum(result["seen"].values()) == STEPS
    assert result["sockets"] <= 2
    assert result["timers"] < 60, "nothing piles up"


def test_a_socket_that_takes_twenty_seconds_to_open_is_waited_for(board: Page) -> None:
    board.evaluate("async () => { tools.faults.opens = 20000; tools.sockets().forEach((one) => one.cut()); }")
    for _ in range(3):
        board.evaluate("async () => { tools.news(1); await letPass(6500); }")
        found = say(board)
        assert (found["link"], found["wrong"]) == ("asked", "")
        assert "updated every 5 s" in found["said"]
    board.evaluate("letPass(45000)")
    assert say(board)["link"] == "live"


def test_where_sockets_are_blocked_the_page_works_by_plain_requests(board: Page) -> None:
    board.evaluate(
        """async () => { window.asked = 0; const get = fetch; window.fetch = (...all) => (asked++, get(...all));
            tools.faults.socket = "blocked"; tools.sockets().forEach((one) => one.cut()); await letPass(6000); }"""
    )
    for _ in range(20):
        board.evaluate("async () => { tools.news(1); await letPass(30000); }")
        found = say(board)
        assert (found["link"], found["wrong"]) == ("asked", "")
    asked = board.evaluate("asked")
    assert 100 <= asked <= 135, "every 5 s, for ten minutes"
    board.evaluate("async () => { tools.faults.socket = ''; await letPass(8000); }")
    assert say(board)["link"] == "live"


def test_a_day_in_a_hidden_tab_costs_nothing_when_it_is_seen_again(board: Page) -> None:
    """6,000 updates, an hour at 100 a minute: no frame, no layout; then one, and one for the answer to what it asks."""
    work = board.evaluate(
        """async () => {
            let frames = 0, changes = 0;
            const frame = requestAnimationFrame;
            window.requestAnimationFrame = (call) => (frames++, frame(call));
            const all = { subtree: true, childList: true, characterData: true, attributes: true };
            new MutationObserver((seen) => (changes += seen.length)).observe(document.getElementById("board"), all);
            tools.see(false);
            for (let n = 0; n < 600; n += 1) { tools.news(10); await letPass(6000); }
            const [behind, title] = [{ frames, changes }, document.title];
            tools.see(true);
            const atOnce = tools.wrong();
            await letPass(1000);
            return { behind, title, atOnce, after: tools.wrong(), frames, total: tools.rows.get("p-0000-60") };
        }"""
    )
    assert work["behind"] == {"frames": 0, "changes": 0}
    assert work["title"].startswith(f"{work['total']} "), "the title goes on"
    assert (work["atOnce"], work["after"], work["frames"]) == ("", "", 2)


@pytest.mark.parametrize("hours", [1, pytest.param(24, marks=pytest.mark.long)])
@pytest.mark.timeout(1800)
def test_a_page_that_stays_open_does_not_grow(board: Page, hours: int) -> None:
    """100 updates a minute, in fast motion; measured after a tenth of it and at the end, without garbage."""
    board.evaluate(HOUR, hours * 60 // 10)
    before = weight(board)
    board.evaluate(HOUR, hours * 60 - hours * 60 // 10)
    after = weight(board)
    print(f"{hours} h: {before} -> {after}")
    assert board.evaluate("tools.wrong()") == ""
    assert after["bytes"] - before["bytes"] < 500_000
    assert after["nodes"] - before["nodes"] < 100
    assert after["jsEventListeners"] - before["jsEventListeners"] < 10


HOUR = """async (minutes) => {
    for (let n = 0; n < 100 * minutes; n += 1) { tools.news(1); await letPass(600); }
}"""


def weight(page: Page) -> dict[str, int]:
    session = page.context.new_cdp_session(page)
    for _ in range(2):
        session.send("HeapProfiler.collectGarbage")
    counted = {**session.send("Memory.getDOMCounters"), "bytes": session.send("Runtime.getHeapUsage")["usedSize"]}
    session.detach()
    return {name: int(value) for name, value in counted.items()}
