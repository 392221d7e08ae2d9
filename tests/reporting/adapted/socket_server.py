"""Daphne with a small application whose websockets send what they are asked for. It says the port that it has."""

from __future__ import annotations

import sys
from typing import Any

SIZES = (1, 125, 126, 65_535, 65_536, 700_000)
ROUNDS = 20


def texts() -> list[str]:
    """More than a connection's buffers hold, in frames of every form; no two alike."""
    return [f"{number}:{'ä' * (size // 2)}" for number in range(ROUNDS) for size in SIZES]


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """`/all`: every text, then the end. `/held`: one text, and nothing else is done until standard input says so."""
    await receive()
    await send({"type": "websocket.accept"})
    await receive()  # begins when it is told to
    if scope["path"] == "/held":
        await send({"type": "websocket.send", "text": "at once"})
        sys.stdin.readline()
    else:
        for number, text in enumerate(texts()):
            await send({"type": "websocket.send", "text": text})
            if number % 7 == 0:
                await send({"type": "websocket.send", "bytes": b"between"})
        await receive()  # what is not read a second after the end would be lost
    await send({"type": "websocket.close", "code": 4321})


def serve() -> None:
    """Until the process is ended. Daphne's modules choose Twisted's event loop for the whole process."""
    from daphne.server import Server
    from twisted.internet import reactor

    from reporting.adapted.prompt_sockets import send_at_once

    send_at_once()
    daphne = Server(application, endpoints=["tcp:port=0:interface=127.0.0.1"], signal_handlers=False, verbosity=0)

    def say_port() -> None:
        if daphne.listening_addresses:
            print(daphne.listening_addresses[0][1], flush=True)
        else:
            reactor.callLater(0.02, say_port)

    reactor.callWhenRunning(say_port)
    daphne.run()


if __name__ == "__main__":
    serve()
