"""`python -m local.checks.promtool`: the alert rules are valid, and each fires and stays quiet when its tests say so.

promtool is part of Prometheus. Where there is none on PATH, it is taken out of Debian's package into var/tools, without
installing a server. Without any it is said, and with CI set that is an error.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RULES = "deploy/monitoring/alerts.yml"
TESTS = ("deploy/monitoring/alerts.test.yml", "deploy/monitoring/objectives.test.yml")
_UNPACKED = ROOT / "var" / "tools" / "promtool"


def find() -> str | None:
    """The program's path."""
    return shutil.which("promtool") or (str(_UNPACKED) if _UNPACKED.exists() else None)


def unpack() -> None:
    """Take it out of Debian's package; nothing happens where that can't be had."""
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        return
    with tempfile.TemporaryDirectory() as folder:
        if not _download(folder) and os.geteuid() == 0:
            subprocess.run(["apt-get", "-qq", "update"], check=False, capture_output=True)
            _download(folder)
        for package in Path(folder).glob("prometheus_*.deb"):
            subprocess.run(["dpkg-deb", "-x", str(package), f"{folder}/x"], check=True)
            _UNPACKED.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(f"{folder}/x/usr/bin/promtool", _UNPACKED)


def _download(folder: str) -> bool:
    print("Fetching promtool (Debian's prometheus)…", flush=True)
    argv = ["apt-get", "-qq", "download", "prometheus"]
    return subprocess.run(argv, cwd=folder, check=False, capture_output=True).returncode == 0


def main() -> int:
    """0 when the rules hold, or when there is no promtool and CI isn't set."""
    if not find():
        unpack()
    program = find()
    if not program:
        print("Not checked: the alert rules need promtool (Debian: apt-get install prometheus).")
        return int(os.environ.get("CI", "").lower() not in {"", "0", "false"})
    for arguments in (["check", "rules", RULES], ["test", "rules", *TESTS]):
        environment = {**os.environ, "GOGC": "800"}  # a collection of garbage less often: a fifth of the time
        done = subprocess.run(
            [program, *arguments], cwd=ROOT, env=environment, check=False, capture_output=True, text=True
        )
        if done.returncode:
            print(done.stdout + done.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
