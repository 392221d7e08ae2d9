"""The alternatives' own environment: a virtual environment and the browser's packages, made when first needed."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve().parent
_PACKAGES = HERE / "package.json"
_REQUIREMENTS = HERE / "requirements.txt"


def python(folder: Path) -> Path:
    """The interpreter of `folder`/venv, with everything that requirements.txt names."""
    venv = folder / "venv"
    interpreter = venv / "bin" / "python"

    def install() -> None:
        print("  installing the alternatives (about a minute, 1 GB)", flush=True)
        shutil.rmtree(venv, ignore_errors=True)
        _quietly(sys.executable, "-m", "venv", str(venv))
        _quietly(str(interpreter), "-m", "pip", "install", "--disable-pip-version-check", "-r", str(_REQUIREMENTS))

    _once(venv / ".installed", _REQUIREMENTS, install)
    return interpreter


def node_modules(folder: Path) -> Path | None:
    """The folder of Perspective's part in the browser; None without npm."""
    npm, place = shutil.which("npm"), folder / "npm"
    if npm is None:
        return None

    def install() -> None:
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        shutil.copy(_PACKAGES, place)
        options = ("--prefix", str(place), "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund")
        _quietly(npm, "install", *options)

    _once(place / ".installed", _PACKAGES, install)
    return place / "node_modules"


def _once(stamp: Path, source: Path, install: Callable[[], None]) -> None:
    """Install unless that was done from exactly this source."""
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    if not stamp.exists() or stamp.read_text() != digest:
        install()
        stamp.write_text(digest)


def _quietly(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}\n{done.stderr[-2000:]}")
