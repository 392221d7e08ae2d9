"""A Redis that speaks TLS alone and asks for a password; it keeps nothing, so each start is an empty one."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from local.checks.programs import REDIS_WITH_TLS
from local.servers.embedded import Server, redis_ready
from tests.processes import free_port

PASSWORD = "a-password-of-the-broker"


@dataclass(frozen=True)
class Broker:
    """The running one: its address, with the authority that its certificate must be of."""

    server: Server
    url: str


@contextmanager
def broker(folder: Path) -> Iterator[Broker]:
    """One of the drill's own, for the length of a `with` block."""
    authority, port = _certificates(folder), free_port()
    url = f"rediss://:{PASSWORD}@localhost:{port}/0?ssl_ca_certs={authority}"
    options = {
        "bind": "127.0.0.1",
        "port": "0",
        "tls-port": str(port),
        "tls-cert-file": str(folder / "server.pem"),
        "tls-key-file": str(folder / "server.key"),
        "tls-ca-cert-file": str(authority),
        "tls-auth-clients": "no",
        "requirepass": PASSWORD,
        "save": "",
    }
    command = [REDIS_WITH_TLS.need(), *(part for name, value in options.items() for part in (f"--{name}", value))]
    argv = ["bash", "-c", f"exec -a redis-server {shlex.join(command)}"]  # the program goes by the name it is called by
    server = Server(argv, folder, folder / "broker.log", partial(redis_ready, url))
    server.start()
    try:
        yield Broker(server, url)
    finally:
        server.stop()


def _certificates(folder: Path) -> Path:
    """An authority, and the server's key and certificate of it; the authority's certificate."""
    names, authority = folder / "names", folder / "authority.pem"
    names.write_text("subjectAltName=DNS:localhost")
    new = ["openssl", "req", "-newkey", "rsa:2048", "-nodes"]
    _run(*new, "-x509", "-days", "2", "-subj", "/CN=drill", "-keyout", str(folder / "a.key"), "-out", str(authority))
    _run(*new, "-subj", "/CN=broker", "-keyout", str(folder / "server.key"), "-out", str(folder / "server.csr"))
    sign = ["openssl", "x509", "-req", "-in", str(folder / "server.csr"), "-CA", str(authority)]
    sign += ["-CAkey", str(folder / "a.key"), "-CAcreateserial", "-days", "2", "-extfile", str(names)]
    _run(*sign, "-out", str(folder / "server.pem"))
    return authority


def _run(*argv: str) -> None:
    subprocess.run(argv, check=True, capture_output=True)
