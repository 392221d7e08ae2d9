"""The set-up of a checkout: virtual environment, locked dependencies, compiled translations, collected static files.

Standard library only: the system's own Python runs this file. Each step is stamped with a hash of what it was made
from, so that a set-up with nothing to do takes a fraction of a second.
"""

from __future__ import annotations

import configparser
import contextlib
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
VENV_PYTHON = VENV / "bin" / "python"
STATIC = ROOT / "var" / "static"
LOCKS = {
    "setup": ["requirements.txt", "requirements-local.txt"],
    "setup-dev": ["requirements.txt", "requirements-local.txt", "requirements-dev.txt"],
}
OLDEST = (3, 11)
_PIP = [str(VENV_PYTHON), "-m", "pip", "install", "--require-hashes", "--disable-pip-version-check", "--no-input"]


class SetupError(Exception):
    """The set-up can't go on; the message says why and what to do."""


# --- stamps -------------------------------------------------------------------------------------------------------
def digest_of(files: list[Path]) -> str:
    """One hash of these files' names and contents."""
    total = hashlib.sha256()
    for path in files:
        total.update(f"{path.relative_to(ROOT)}\0".encode())
        total.update(path.read_bytes())
    return total.hexdigest()


def is_current(stamp: Path, digest: str) -> bool:
    """Whether the step of this stamp was done from exactly this."""
    return stamp.exists() and stamp.read_text() == digest


# --- steps --------------------------------------------------------------------------------------------------------
def make_venv() -> None:
    """A virtual environment that works; one that is broken, old or moved from elsewhere is made anew."""
    if _works(VENV_PYTHON):
        return
    say("Making the virtual environment .venv")
    shutil.rmtree(VENV, ignore_errors=True)
    done = subprocess.run([sys.executable, "-m", "venv", str(VENV)], capture_output=True, text=True, check=False)
    if done.returncode or not _works(VENV_PYTHON):
        shutil.rmtree(VENV, ignore_errors=True)
        raise SetupError(_venv_advice(done.stdout + done.stderr))


def _works(python: Path) -> bool:
    """It is at least the oldest Python, has pip, and believes itself to be at this place."""
    config = VENV / "pyvenv.cfg"
    scripts = VENV / "bin" / "pip"
    if not (python.exists() and config.exists() and scripts.exists()):
        return False
    if str(VENV) not in scripts.read_text(errors="replace")[:500]:
        return False
    match = re.search(r"^version\s*=\s*(\d+)\.(\d+)", config.read_text(), re.MULTILINE)
    return match is not None and (int(match[1]), int(match[2])) >= OLDEST


def _venv_advice(output: str) -> str:
    package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
    if "ensurepip" in output or "No module named venv" in output:
        return f"This Python has no venv. On Debian and Ubuntu: apt-get install {package} (or python3-venv)."
    last_line = output.strip().rpartition("\n")[2]
    return f"The virtual environment can't be made: {last_line}"


def install(locks: list[str]) -> None:
    """Exactly the locked packages, each checked against its hash: by uv, or by pip where uv can't be had."""
    files = [ROOT / name for name in locks]
    stamps = {VENV / f".installed-{path.stem}": digest_of([path]) for path in files}
    if all(is_current(stamp, digest) for stamp, digest in stamps.items()):
        return
    began = time.monotonic()
    uv = None if pip_alone_knows_a_mirror(os.environ, pip_settings_files()) else _uv()
    if uv is None or not install_with_uv(uv, files):
        _install_with_pip(files)
    say(f"Installed in {time.monotonic() - began:.0f} s")
    for stamp, digest in stamps.items():
        stamp.write_text(digest)


def pip_alone_knows_a_mirror(environment: Mapping[str, str], settings: Iterable[Path]) -> bool:
    """Whether pip was told of another index, and uv was not: then the packages are meant to come from there."""
    if any(environment.get(name) for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_CONFIG_FILE")):
        return False
    if any(environment.get(name) for name in ("PIP_INDEX_URL", "PIP_NO_INDEX")):
        return True
    config = configparser.ConfigParser(interpolation=None)
    with contextlib.suppress(configparser.Error, OSError):
        config.read(settings)
    return any(config.has_option(section, "index-url") for section in ("global", "install"))


def pip_settings_files() -> list[Path]:
    """Where pip reads its settings from on Linux and macOS, later ones winning."""
    home, named = Path.home(), os.environ.get("PIP_CONFIG_FILE", "")
    usual = [
        Path("/etc/pip.conf"),
        Path("/etc/xdg/pip/pip.conf"),
        Path("/Library/Application Support/pip/pip.conf"),
        home / ".pip" / "pip.conf",
        home / ".config" / "pip" / "pip.conf",
        home / "Library" / "Application Support" / "pip" / "pip.conf",
        VENV / "pip.conf",
    ]
    return [*usual, Path(named)] if named else usual


def _uv() -> Path | None:
    """uv in the virtual environment, as locked; None where there is none for this machine or it can't be fetched."""
    program = VENV / "bin" / "uv"
    stamp, digest = VENV / ".installed-setup", digest_of([ROOT / "requirements-setup.txt"])
    if program.exists() and is_current(stamp, digest):
        return program
    say("Installing uv")
    lock = str(ROOT / "requirements-setup.txt")
    argv = [*_PIP, "--quiet", "--only-binary", ":all:", "-r", lock]
    if subprocess.run(argv, capture_output=True, text=True, check=False, cwd=ROOT).returncode:
        return None
    stamp.write_text(digest)
    return program


def install_with_uv(uv: Path, files: list[Path], python: Path = VENV_PYTHON) -> bool:
    """Whether uv could do it. SetupError for a package that is not what was locked: nobody else may install it then."""
    say("Installing the packages")
    ours = [path for path in files if path.stem != "requirements-dev"]
    for locks, compiled in ((ours, ["--compile-bytecode"]), (files, [])):  # what only tests use compiles as it is used
        argv = [str(uv), "pip", "install", "--quiet", "--python", str(python), "--require-hashes", *compiled]
        argv += [part for path in locks for part in ("-r", str(path))]
        done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd=ROOT)
        if "hash mismatch" in done.stderr.lower():
            raise SetupError("A package is not the one that was locked (its hash differs): nothing is installed.")
        if done.returncode:
            say("uv can't install here; pip does.")
            return False
    return True


def _install_with_pip(files: list[Path]) -> None:
    total = sum(len(re.findall(r"^[A-Za-z0-9].*==", path.read_text(), re.MULTILINE)) for path in files)
    _pip([*_PIP, *(part for path in files for part in ("-r", str(path)))], total)


def _pip(argv: list[str], total: int) -> None:
    """Run pip quietly, with a count of the packages that it has looked at."""
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout is not None and process.stderr is not None
    errors: list[str] = []
    reader = threading.Thread(target=lambda: errors.extend(process.stderr or ()), daemon=True)
    reader.start()
    say(f"Installing up to {total} packages…")
    try:
        _show_progress(process.stdout, total)
        process.wait()
    finally:
        process.terminate()  # when we are stopped ourselves; it has ended otherwise
    reader.join(timeout=5)
    if process.returncode:
        raise SetupError("The packages can't be installed:\n" + "".join(errors[-12:]).rstrip())


def _show_progress(output: Iterable[str], total: int) -> None:
    seen, shown = 0, 0
    for line in output:
        seen += line.startswith(("Collecting ", "Requirement already satisfied"))
        if seen // 20 > shown:
            shown = seen // 20
            say(f"  {seen} of {total} looked up")
        if line.startswith("Installing collected packages"):
            say("  installing")


def compile_catalogues() -> None:
    """Translations as the programs read them (.mo), again whenever a catalogue changed."""
    sources = sorted((ROOT / "locale").rglob("*.po"))
    stamp = VENV / ".catalogues"
    digest = digest_of(sources)
    if is_current(stamp, digest) and all(path.with_suffix(".mo").exists() for path in sources):
        return
    say("Compiling translations")
    command = [str(VENV_PYTHON), "-m", "local.checks.catalogues"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        last_line = done.stderr.strip().rpartition("\n")[2]
        raise SetupError(f"The translations can't be compiled: {last_line}")
    stamp.write_text(digest)


def say_where_servers_are() -> None:
    """The embedded servers' addresses into var/run/servers.env, where settings read them; again in a moved checkout."""
    stamp = ROOT / "var" / "run" / "servers.stamp"
    digest = f"{digest_of([ROOT / 'local' / 'servers' / 'addresses.py'])} {ROOT}"
    if is_current(stamp, digest) and stamp.with_name("servers.env").exists():
        return
    subprocess.run([str(VENV_PYTHON), "-m", "local.servers.addresses", str(ROOT / "var")], cwd=ROOT, check=True)
    stamp.write_text(digest)


def collect_static() -> None:
    """Static files into var/static, their names with hashes, again whenever one changed."""
    sources = sorted(path for path in (ROOT / "static").rglob("*") if path.is_file())
    stamp = STATIC.with_name("static.stamp")
    digest = digest_of([*sources, ROOT / "requirements.txt"])
    if is_current(stamp, digest) and (STATIC / "staticfiles.json").exists():
        return
    say("Collecting static files")
    command = [str(VENV_PYTHON), "manage.py", "collectstatic", "--noinput", "--clear", "--verbosity", "0"]
    environment = {**os.environ, "DEBUG": "0", "SECRET_KEY": "for collecting static files only"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        shutil.rmtree(STATIC, ignore_errors=True)
        last_line = (done.stderr or done.stdout).strip().rpartition("\n")[2]
        raise SetupError(f"Static files can't be collected: {last_line}")
    stamp.write_text(digest)


def lock() -> None:
    """Compile requirements*.txt from requirements*.in, with hashes and without any registry's address."""
    uv = _uv()
    if uv is None:
        raise SetupError("uv can't be had here, and nothing else compiles the locks.")
    options = "--universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header"
    for name in ("requirements", "requirements-local", "requirements-dev", "requirements-setup", "requirements-tools"):
        command = [str(uv), "pip", "compile", *options.split(), "--quiet", f"{name}.in", "-o", f"{name}.txt"]
        subprocess.run(command, cwd=ROOT, check=True)
        say(f"{name}.txt is up to date")


def say(sentence: str) -> None:
    """One line of progress."""
    print(sentence, flush=True)


def main(argv: list[str]) -> int:
    """`setup`, `setup-dev` or `lock`."""
    for sign in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(sign, signal.default_int_handler)
    step = argv[0] if argv else "setup"
    try:
        if sys.version_info < OLDEST:
            raise SetupError(f"Python 3.11 or later is needed; this is {sys.version.split()[0]}.")
        if step == "lock":
            lock()
        else:
            make_venv()
            install(LOCKS[step])
            if step == "setup-dev":
                _uv()  # its tests need it, too, where pip has installed the rest
            compile_catalogues()
            say_where_servers_are()
            collect_static()
    except SetupError as error:
        print(error, file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as error:
        print(f"{error.cmd[0]} failed (exit code {error.returncode}).", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped during the set-up.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
