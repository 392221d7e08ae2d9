"""A server's machine, which can go: without power or network it acknowledges, refuses and closes nothing any more."""

from __future__ import annotations

import ctypes
import socket
import struct
import threading
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

_ATTACH, _DETACH = 26, 27
"""SO_ATTACH_FILTER and SO_DETACH_FILTER of Linux, for which Python's socket has no names."""
_DROP_ALL = struct.pack("HBBI", 0x06, 0, 0, 0)
"""A filter of one instruction: keep nothing of any packet. TCP drops it before it would acknowledge it."""


def socket_of(url: str) -> str:
    """Where a server on this machine listens, of the address that a process has for it."""
    parts = urlsplit(url)
    return parts.path if parts.scheme == "unix" else f"{unquote(parts.netloc.rpartition('@')[2])}/.s.PGSQL.5432"


def _deaf(end: socket.socket) -> None:
    """From now on nothing that arrives there is acknowledged or answered, nor is a new connection."""
    instructions = ctypes.create_string_buffer(_DROP_ALL)
    program = struct.pack("HL", 1, ctypes.addressof(instructions))
    end.setsockopt(socket.SOL_SOCKET, _ATTACH, program)


@dataclass
class _Wire:
    client: socket.socket
    server: socket.socket
    cut: bool = False


class Machine:
    """A TCP address of its own before a server's Unix socket."""

    def __init__(self, server: str) -> None:
        self._server, self._wires, self._gone = server, list[_Wire](), False
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._door.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Machine:
        return self

    def __exit__(self, *_details: object) -> None:
        for end in (self._door, *(end for wire in self._wires for end in (wire.client, wire.server))):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def vanish(self) -> None:
        """All who speak to it, and all who will, hear nothing any more."""
        self._gone = True
        _deaf(self._door)
        for wire in self._wires:
            self._cut(wire)

    def replace(self) -> None:
        """Another machine has its address: it takes new connections, and knows nothing of the old ones."""
        self._gone = False
        self._door.setsockopt(socket.SOL_SOCKET, _DETACH, 0)

    @staticmethod
    def _cut(wire: _Wire) -> None:
        wire.cut = True
        _deaf(wire.client)
        with suppress(OSError):
            wire.server.shutdown(socket.SHUT_RDWR)  # what stands in for the server lives on, and must do nothing for it

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._door.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            try:
                server.connect(self._server)
            except OSError:  # the machine is there, the server isn't
                client.close()
                continue
            wire = _Wire(client, server)
            self._wires.append(wire)
            if self._gone:  # it had come just before
                self._cut(wire)
            for ends in ((client, server), (server, client)):
                threading.Thread(target=self._carry, args=(wire, *ends), daemon=True).start()

    @staticmethod
    def _carry(wire: _Wire, source: socket.socket, to: socket.socket) -> None:
        """What comes from one end goes to the other, and so does its end."""
        with suppress(OSError):
            while (data := source.recv(65536)) and not wire.cut:
                to.sendall(data)
        if not wire.cut:
            with suppress(OSError):
                to.shutdown(socket.SHUT_RDWR)
