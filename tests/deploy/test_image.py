"""The Dockerfile's steps, as far as they go without a container engine.

Its own commands run in a clean folder with what .dockerignore lets through, as an unprivileged user where the tests run
as root; then a web process serves from that folder made read-only. Left out: `pip install` (the checkout's own virtual
environment stands in, with the same locked versions) and the base image itself.
"""

from __future__ import annotations

import ctypes
import fnmatch
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.processes import ROOT, free_port, wait_until

USER = 10001
PRODUCTION = {
    "SECRET_KEY": "a long random text of the test of the image: 81f0c2",
    "ALLOWED_HOSTS": "desk.example",
    "DATABASE_URL": "postgres://none:none@127.0.0.1:9/none",
    "REDIS_URL": "redis://127.0.0.1:9",
    "BEHIND_TLS_PROXY": "1",
    "TRUSTED_PROXIES": "127.0.0.1",
    "PYTHONDONTWRITEBYTECODE": "1",
}


@dataclass(frozen=True)
class Image:
    """The folder that /app would be, and how its processes are started."""

    app: Path
    unprivileged: dict[str, Any]
    """Arguments for subprocess."""

    def run(self, argv: list[str] | str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(argv, **self.started(environment), capture_output=True, text=True)

    def started(self, environment: dict[str, str]) -> dict[str, Any]:
        path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
        return {"cwd": self.app, "env": {"PATH": path, **environment}, **self.unprivileged}


def ignored(folder: str, names: list[str]) -> set[str]:
    """What of a folder's names .dockerignore keeps out."""
    patterns = (ROOT / ".dockerignore").read_text().split()
    here = Path(folder).relative_to(ROOT)
    found = set()
    for name in names:
        path = (here / name).as_posix()
        let_in = [p[1:] for p in patterns if p.startswith("!")]
        if any(path == p or path.startswith(f"{p}/") for p in let_in):
            continue
        if any(fnmatch.fnmatch(path, p) or fnmatch.fnmatch(name, p.removeprefix("**/")) for p in patterns):
            found.add(name)
    return found


def build_commands() -> list[str]:
    """The first stage's RUN steps after the sources are copied, on this checkout's virtual environment."""
    stage = (ROOT / "Dockerfile").read_text().split("\nCOPY . .\n")[1].split("\nFROM ")[0]
    joined = re.sub(r"\\\n\s*", "", stage)
    return [
        step.replace("/venv/bin/python", shlex.quote(sys.executable))
        for step in re.findall(r"^RUN (.*)$", joined, re.MULTILINE)
    ]


def without_capabilities() -> None:
    """In a child, before it becomes the program: root there is a user like others (SECBIT_NOROOT)."""
    if ctypes.CDLL(None, use_errno=True).prctl(28, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


def unprivileged() -> dict[str, Any]:
    """Ourselves, if we are not root; else the image's user, or root without its powers (Python in root's home)."""
    if os.geteuid() != 0:
        return {}
    other: dict[str, Any] = {"user": USER, "group": USER, "extra_groups": []}
    try:
        subprocess.run([sys.executable, "-c", ""], **other, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return {"preexec_fn": without_capabilities}
    return other


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    home = Path(tempfile.mkdtemp(prefix="desk-image-"))  # pytest's own folder is closed to other users
    try:
        home.chmod(0o755)
        built = Image(home / "app", unprivileged())
        shutil.copytree(ROOT, built.app, ignore=ignored)
        if "user" in built.unprivileged:
            for path in [home, *home.rglob("*")]:
                os.chown(path, USER, USER, follow_symlinks=False)
        for step in build_commands():
            done = built.run(["/bin/sh", "-c", step])
            assert done.returncode == 0, f"{step}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
        subprocess.run(["chmod", "-R", "a-w", str(built.app)], check=True)
        yield built
    finally:
        subprocess.run(["chmod", "-R", "u+w", str(home)], check=True)
        shutil.rmtree(home)


def test_the_image_holds_what_runs_and_nothing_else(image: Image) -> None:
    names = {path.name for path in image.app.iterdir()}
    assert {"manage.py", "reporting", "trades", "static", "templates", "locale", "CHANGELOG.md", "var"} <= names
    assert not names & {"tests", "bench", "local", "deploy", ".git", ".env", ".venv", "compose.yaml"}
    assert [path.name for path in (image.app / "docs").iterdir()] == ["runbooks"], "the status page shows these"
    assert {path.name for path in (image.app / "var").iterdir()} == {"static"}
    assert list((image.app / "locale").rglob("*.mo"))
    assert (image.app / "var" / "static" / "staticfiles.json").exists()


def test_nothing_can_be_written_in_it(image: Image) -> None:
    done = image.run([sys.executable, "-c", "open('written', 'w')"])
    assert "PermissionError" in done.stderr


def test_a_web_process_serves_from_a_read_only_root(image: Image, tmp_path: Path) -> None:
    port, log = free_port(), tmp_path / "web.log"
    argv = [sys.executable, "-m", "daphne", "-b", "127.0.0.1", "-p", str(port), "reporting.asgi:application"]
    with log.open("wb") as output:
        process = subprocess.Popen(argv, stdout=output, stderr=output, **image.started(PRODUCTION))
        try:
            wait_until(lambda: listens(port), "the web process:\n", details=log.read_text)  # a check is a process
            wait_until(lambda: own_health_check(image, port) == 0, "the web process:\n", details=log.read_text)
            address, proxy = f"http://127.0.0.1:{port}", {"host": "desk.example", "x-forwarded-proto": "https"}
            file = next((image.app / "var" / "static" / "css").glob("desk.*.css")).name
            static = requests.get(f"{address}/static/css/{file}", headers=proxy, timeout=10, allow_redirects=False)
            assert static.status_code == 200
        finally:
            process.terminate()
            process.wait(20)


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except OSError:
        return False
    return True


def own_health_check(image: Image, port: int) -> int:
    """The image's HEALTHCHECK, word by word: its exit code."""
    check = re.search(r'^HEALTHCHECK .*CMD \["python", (.*)\]$', (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert check
    arguments = [part.strip(' "') for part in check[1].split(",")]
    return image.run([sys.executable, *arguments], PORT=str(port)).returncode
