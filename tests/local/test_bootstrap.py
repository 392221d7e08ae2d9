"""The set-up: uv with the locked hashes, pip where only pip was told where packages are, nothing that is not locked."""

from __future__ import annotations

import base64
import hashlib
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from local.servers import bootstrap
from local.servers.bootstrap import SetupError, install_with_uv, pip_alone_knows_a_mirror

UV = Path(sys.executable).parent / "uv"
MIRROR = "[global]\nindex-url = http://mirror.example/simple\n"


def a_wheel(folder: Path, content: str) -> Path:
    """A package `tiny` 1.0 with one module of this content."""
    wheel, info = folder / "tiny-1.0-py3-none-any.whl", "tiny-1.0.dist-info"
    files = {
        "tiny.py": content,
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    digests = {name: base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()) for name, text in files.items()}
    record = "".join(f"{name},sha256={digests[name].decode().rstrip('=')},\n" for name in files)
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text in {**files, f"{info}/RECORD": f"{record}{info}/RECORD,,\n"}.items():
            archive.writestr(name, text)
    return wheel


def a_lock(folder: Path, wheel: Path) -> Path:
    lock = folder / "requirements.txt"
    lock.write_text(f"tiny==1.0 --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n")
    return lock


@pytest.fixture
def python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty virtual environment, and packages from the test's folder alone."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "venv")], check=True)
    for name, value in {"UV_FIND_LINKS": str(tmp_path), "UV_OFFLINE": "1", "UV_NO_CACHE": "1"}.items():
        monkeypatch.setenv(name, value)
    return tmp_path / "venv" / "bin" / "python"


def test_uv_installs_what_is_locked(tmp_path: Path, python: Path) -> None:
    lock = a_lock(tmp_path, a_wheel(tmp_path, "said = 'as locked'\n"))
    assert install_with_uv(UV, [lock], python)
    done = subprocess.run([python, "-c", "import tiny; print(tiny.said)"], capture_output=True, text=True, check=True)
    assert done.stdout == "as locked\n"


def test_a_package_that_is_not_the_locked_one_is_refused_in_one_sentence(tmp_path: Path, python: Path) -> None:
    lock = a_lock(tmp_path, a_wheel(tmp_path, "said = 'as locked'\n"))
    a_wheel(tmp_path, "said = 'something else'\n")
    with pytest.raises(SetupError, match="not the one that was locked"):
        install_with_uv(UV, [lock], python)
    assert subprocess.run([python, "-c", "import tiny"], capture_output=True, check=False).returncode


def test_where_uv_finds_nothing_pip_has_its_turn(
    tmp_path: Path, python: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lock = tmp_path / "requirements.txt"
    lock.write_text(f"nowhere==1.0 --hash=sha256:{'0' * 64}\n")
    assert not install_with_uv(UV, [lock], python)
    assert "pip does" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("environment", "settings", "alone"),
    [
        ({}, "", False),
        ({}, "[global]\ncert = /etc/ssl/ca.pem\n", False),
        ({}, MIRROR, True),
        ({}, MIRROR.replace("global", "install"), True),
        ({"PIP_INDEX_URL": "http://mirror.example/simple"}, "", True),
        ({"PIP_NO_INDEX": "1"}, "", True),
        ({"UV_DEFAULT_INDEX": "http://mirror.example/simple"}, MIRROR, False),
        ({"UV_CONFIG_FILE": "uv.toml", "PIP_INDEX_URL": "http://mirror.example/simple"}, "", False),
        ({}, "no settings at all", False),
    ],
)
def test_a_mirror_that_only_pip_knows_is_pips(
    tmp_path: Path, environment: dict[str, str], settings: str, alone: bool
) -> None:
    (tmp_path / "pip.conf").write_text(settings)
    assert pip_alone_knows_a_mirror(environment, [tmp_path / "pip.conf", tmp_path / "none.conf"]) is alone


def test_a_set_up_with_nothing_to_do_starts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[object] = []
    monkeypatch.setattr(bootstrap.subprocess, "run", lambda *argv, **_rest: started.append(argv))
    monkeypatch.setattr(bootstrap.subprocess, "Popen", lambda *argv, **_rest: started.append(argv))
    bootstrap.make_venv()
    bootstrap.install(bootstrap.LOCKS["setup-dev"])
    bootstrap.say_where_servers_are()
    bootstrap.collect_static()
    assert started == []
