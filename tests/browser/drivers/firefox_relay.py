"""Firefox for Playwright: starts it and passes WebDriver BiDi on, except for what an ESR can't be asked yet.

Playwright speaks BiDi to Debian's Firefox ("moz-firefox") and begins every context with a command that arrives in a
later Firefox; without this no page can be opened. The answer "unknown command" to one of NOT_YET becomes an empty
success: nothing is emulated then, and a test that needs a dark page says so by Firefox's own preference.

Run as Playwright runs a browser: `python -m tests.browser.drivers.firefox_relay ARGUMENTS`, and FIREFOX names it.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys

from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

NOT_YET = {"emulation.setMediaFeaturesOverride"}
_LISTENING = re.compile(r"WebDriver BiDi listening on (ws://\S+)")


async def main(arguments: list[str]) -> int:
    firefox = await asyncio.create_subprocess_exec(os.environ["FIREFOX"], *arguments, stderr=asyncio.subprocess.PIPE)
    assert firefox.stderr is not None
    passing_on = []
    async for line in firefox.stderr:
        text = line.decode(errors="replace").rstrip()
        listening = _LISTENING.search(text)
        if listening:
            relay = await serve(Relay(f"{listening[1]}/session"), "127.0.0.1", 0, max_size=None, compression=None)
            passing_on.append(relay)
            port = relay.sockets[0].getsockname()[1]
            text = f"WebDriver BiDi listening on ws://127.0.0.1:{port}"
        print(text, file=sys.stderr, flush=True)
    return await firefox.wait()


class Relay:
    """One connection of Playwright's to one of Firefox's; remembers which commands may fail."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._not_yet: set[int] = set()

    async def __call__(self, playwright: ServerConnection) -> None:
        async with connect(self._address, max_size=None, compression=None) as firefox:
            both = [self._commands(playwright, firefox), self._answers(firefox, playwright)]
            _, rest = await asyncio.wait(map(asyncio.ensure_future, both), return_when=asyncio.FIRST_COMPLETED)
            for task in rest:
                task.cancel()

    async def _commands(self, playwright: ServerConnection, firefox: ClientConnection) -> None:
        async for text in playwright:
            command = json.loads(text)
            if command.get("method") in NOT_YET:
                self._not_yet.add(command["id"])
            await firefox.send(text)

    async def _answers(self, firefox: ClientConnection, playwright: ServerConnection) -> None:
        try:
            async for text in firefox:
                await playwright.send(self._answer(text))
        except ConnectionClosed:
            return

    def _answer(self, text: str | bytes) -> str | bytes:
        if not self._not_yet:
            return text
        answer = json.loads(text)
        if answer.get("id") not in self._not_yet:
            return text
        self._not_yet.discard(answer["id"])
        if answer.get("error") != "unknown command":
            return text
        return json.dumps({"type": "success", "id": answer["id"], "result": {}})


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
