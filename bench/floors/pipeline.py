"""The floor of bench/cases/screen.py: websocket in, one PostgreSQL transaction, websocket out. Nothing else."""

from __future__ import annotations

import asyncio
import os
import sys
import time

import psycopg
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, broadcast, serve


async def main(exchange: str, port: int) -> None:
    database = await psycopg.AsyncConnection.connect(os.environ["DATABASE_URL"], autocommit=True)
    await database.execute("CREATE TABLE IF NOT EXISTS bench_pipeline (id text PRIMARY KEY, body text)")
    viewers: set[ServerConnection] = set()
    count = 0

    async def hold(viewer: ServerConnection) -> None:
        viewers.add(viewer)
        await viewer.send(str(count))
        await viewer.wait_closed()
        viewers.discard(viewer)

    async with serve(hold, "127.0.0.1", port, compression=None), connect(exchange, compression=None) as source:
        async for frame in source:
            await database.execute("INSERT INTO bench_pipeline VALUES (%s, %s)", [str(time.time_ns()), str(frame)])
            count += 1
            broadcast(viewers, str(count))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
