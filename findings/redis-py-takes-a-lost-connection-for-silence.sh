#!/usr/bin/env bash
# Guess: a reader of news that waits for the next one hears of it when TCP gives its connection up: an error, as when the
# server closes it; or redis-py connects anew by itself.
# Seen (redis 8.1.0, Python 3.11): "no message", at once, each time it asks, and never a new connection. TCP gives up with
# a time-out (ETIMEDOUT), which Python 3.11 and later can't tell from the time-out of the wait. A connection that the
# server closes is an error. So whoever asks in a loop hears nothing more, and asks without a pause.
# Linux alone: a socket that acknowledges nothing stands in for a machine that is gone.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check redis==8.1.0
cat > "$folder/reader.py" <<'PYTHON'
import asyncio
import ctypes
import socket
import struct
import time
from contextlib import suppress

import redis.asyncio

GIVEN_UP_AFTER = {socket.TCP_KEEPIDLE: 1, socket.TCP_KEEPINTVL: 1, socket.TCP_KEEPCNT: 1, socket.TCP_USER_TIMEOUT: 1000}
ANSWERS = {b"HELLO": b"%1\r\n+proto\r\n:3\r\n", b"SUBSCRIBE": b">3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n"}
served = []


async def serve(reader, writer):
    """As much of a server as a subscriber needs."""
    served.append(writer)
    with suppress(asyncio.CancelledError):
        while line := await reader.readline():
            word = line.strip().upper()
            if word in ANSWERS:
                writer.write(ANSWERS[word])
            elif word == b"CLIENT":
                writer.write(b"+OK\r\n")


def closed(end):
    end.shutdown(socket.SHUT_RDWR)


def gone(end):
    code = ctypes.create_string_buffer(struct.pack("HBBI", 6, 0, 0, 0))
    end.setsockopt(socket.SOL_SOCKET, 26, struct.pack("HL", 1, ctypes.addressof(code)))


async def told(harm):
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    client = redis.asyncio.Redis(port=port, socket_keepalive_options=GIVEN_UP_AFTER, retry=None)
    news = client.pubsub(ignore_subscribe_messages=True)
    await news.subscribe("news")
    await news.get_message(timeout=1)
    connections = len(served)
    harm(served[-1].get_extra_info("socket")._sock)
    await asyncio.sleep(6)
    began, said = time.monotonic(), []
    for _ in range(3):
        try:
            said.append(str(await news.get_message(timeout=5)))
        except redis.RedisError as error:
            said.append(type(error).__name__)
            break
    quick = "at once" if time.monotonic() - began < 1 else "after a while"
    return f"{harm.__name__}: {' '.join(said)} {quick}, {len(served) - connections} new connections"


for harm in (closed, gone):
    print(asyncio.run(told(harm)))
PYTHON
said=$("$folder/venv/bin/python" "$folder/reader.py" | paste -sd ';')
echo "$said"
if [ "$said" != "closed: ConnectionError at once, 1 new connections;gone: None None None at once, 0 new connections" ]; then
    echo "Changed: redis-py tells a lost connection from silence, or in other words." >&2
    exit 1
fi
