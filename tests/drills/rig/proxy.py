"""A Caddy with the configuration of deploy/, before a drill's web processes: without TLS, on this machine."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from local.checks.programs import CADDY
from local.checks.testbed import ROOT
from tests.drills.rig.parts import Part
from tests.processes import free_port, wait_until

CONFIGURATION = ROOT / "deploy" / "proxy" / "Caddyfile"


def configuration(port: int, webs: list[str], version: tuple[int, ...]) -> str:
    """That of deploy/ for these web processes; one line of it an older Caddy does not know."""
    text, known = CONFIGURATION.read_text(), "" if version < (2, 7) else "stream_close_delay 5s"
    changes = {
        r"\{\$SITE_ADDRESS\}": f"http://127.0.0.1:{port}",
        r"http_port 8080\n\s*https_port 8443": "admin off\n\tauto_https off",
        r"(?<=reverse_proxy )web1:8000 web2:8000": " ".join(web.removeprefix("http://") for web in webs),
        r"stream_close_delay 5s": known,
    }
    for pattern, into in changes.items():
        text, count = re.subn(pattern, into, text)
        assert count == 1, pattern
    return text


@contextmanager
def proxy(folder: Path, webs: list[str]) -> Iterator[str]:
    """Before these web processes, for the length of a `with` block: its address."""
    caddy, port = CADDY.need(), free_port()
    told = subprocess.run([caddy, "version"], capture_output=True, text=True, check=True).stdout
    version = tuple(int(part) for part in re.findall(r"\d+", told)[:2])
    file = folder / "Caddyfile"
    file.write_text(configuration(port, webs, version))
    argv = (caddy, "run", "--config", str(file), "--adapter", "caddyfile")
    part = Part(argv, {**os.environ, "HOME": str(folder), "XDG_DATA_HOME": str(folder)}, folder / "caddy.log")
    part.start()
    try:
        address = f"http://127.0.0.1:{port}"
        wait_until(lambda: _answers(address), "the proxy:\n", details=part.log.read_text)
        yield address
    finally:
        part.end()


def _answers(address: str) -> bool:
    try:
        return requests.get(f"{address}/accounts/login/", timeout=5).ok
    except requests.RequestException:
        return False
