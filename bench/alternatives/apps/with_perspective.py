"""Perspective: one table on the server, changed when PostgreSQL says so; every page looks at it through a websocket.

`python -m bench.alternatives.apps.with_perspective`. ASSETS is the folder of the browser's part (package.json). The
benchmark adds the trigger that speaks on CHANNEL.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import perspective
import psycopg
import tornado.web
from perspective.handlers.tornado import PerspectiveTornadoHandler

from bench.alternatives.apps import positions

CHANNEL = "bench_positions"
_SCHEMA = dict.fromkeys(positions.COLUMNS, "float") | {"delivery_hour": "string", "trades": "integer"}
_PAGE = Path(__file__).with_name("perspective.html")


class Page(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write(_PAGE.read_text())


async def main() -> None:
    server = perspective.Server()
    table = server.new_local_client().table(_SCHEMA, index="delivery_hour", name="positions")
    assets = {"path": os.environ["ASSETS"]}
    tornado.web.Application(
        [
            ("/", Page),
            ("/websocket", PerspectiveTornadoHandler, {"perspective_server": server}),
            ("/node_modules/(.*)", tornado.web.StaticFileHandler, assets),
        ]
    ).listen(int(os.environ["PORT"]), "127.0.0.1")
    async with await psycopg.AsyncConnection.connect(os.environ["DATABASE_URL"], autocommit=True) as database:
        await database.execute(f"LISTEN {CHANNEL}")
        table.update(await asyncio.to_thread(positions.records))
        async for _ in database.notifies():
            table.update(await asyncio.to_thread(positions.records))


if __name__ == "__main__":
    asyncio.run(main())
