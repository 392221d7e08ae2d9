"""Every locked package comes as a wheel where the product is said to work: nothing is compiled at an installation."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from local.checks.dependencies import ROOT

PYTHONS = ("3.11", "3.12", "3.13", "3.14")
LINUX = ("x86_64-manylinux_2_28", "aarch64-manylinux_2_28")
MACOS = "aarch64-apple-darwin"
LOCKS = ("requirements.txt", "requirements-local.txt", "requirements-setup.txt", "requirements-dev.txt")
NOT_REACHED = "Failed to fetch"


def would_install(target: Path, python: str, platform: str, *locks: str, **environment: str) -> str:
    """What stands in the way of an installation from wheels alone; empty when nothing does.

    Nothing is fetched or installed, so hashes are not compared: an installation does that.
    """
    uv = Path(sys.executable).with_name("uv")
    argv = [str(uv), "pip", "install", "--quiet", "--dry-run", "--no-deps", "--only-binary", ":all:"]
    argv += ["--python-version", python, "--python-platform", platform, "--target", str(target)]
    argv += [part for lock in locks for part in ("-r", lock)]
    done = subprocess.run(
        argv, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    return done.stderr if done.returncode else ""


def need_index(problem: str) -> None:
    """Where the package index can't be reached there is nothing to be asked; a build server reaches it."""
    if NOT_REACHED in problem and not os.environ.get("CI"):
        pytest.skip("the package index can't be reached")


@pytest.mark.parametrize("platform", LINUX)
@pytest.mark.parametrize("python", PYTHONS)
def test_linux_has_every_wheel(tmp_path: Path, python: str, platform: str) -> None:
    problem = would_install(tmp_path, python, platform, *LOCKS)
    need_index(problem)
    assert problem == ""


@pytest.mark.parametrize(("release", "platform"), [("15.0", MACOS), ("14.0", MACOS), ("15.0", "x86_64-apple-darwin")])
def test_macos_has_them_from_15_on_apple_silicon_alone(tmp_path: Path, release: str, platform: str) -> None:
    """As README says; and the question can be answered with no."""
    problem = would_install(tmp_path, "3.13", platform, *LOCKS[:3], MACOSX_DEPLOYMENT_TARGET=release)
    need_index(problem)
    if (release, platform) == ("15.0", MACOS):
        assert problem == ""
    else:
        assert "autobahn" in problem
        assert "no usable wheels" in problem


def test_an_index_that_is_away_is_told_from_a_wheel_that_is_missing(tmp_path: Path) -> None:
    nowhere = {
        "UV_DEFAULT_INDEX": "http://127.0.0.1:9/simple",
        "UV_HTTP_RETRIES": "0",
        "UV_CACHE_DIR": str(tmp_path / "cache"),
    }
    assert NOT_REACHED in would_install(tmp_path / "target", "3.13", LINUX[0], "requirements-local.txt", **nowhere)
