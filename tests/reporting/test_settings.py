"""Settings that can't be used end a process with one sentence, whichever process it is."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
LOAD = "from django.conf import settings; settings.DEBUG; print('loaded')"


def start(code: str = LOAD, **environment: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "reporting.settings", **environment}
    return subprocess.run([sys.executable, "-c", code], env=env, cwd=ROOT, capture_output=True, text=True, timeout=60)


@dataclass
class Forked:
    """Starts like `start`, many times as quick: tests/reporting/fork_server.py."""

    server: subprocess.Popen[str]
    folder: Path

    def __call__(self, code: str = LOAD, **environment: str) -> subprocess.CompletedProcess[str]:
        env = {**os.environ, "DJANGO_SETTINGS_MODULE": "reporting.settings", **environment}
        assert self.server.stdin is not None and self.server.stdout is not None
        print(
            json.dumps({"environment": env, "code": code, "said": str(self.folder)}), file=self.server.stdin, flush=True
        )
        returned = int(self.server.stdout.readline())
        said = ((self.folder / name).read_text() for name in ("stdout", "stderr"))
        return subprocess.CompletedProcess(code, returned, *said)


@pytest.fixture(scope="module")
def forked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forked]:
    argv = [sys.executable, "-m", "tests.reporting.fork_server"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(argv, cwd=ROOT, text=True, **pipes) as server:
        yield Forked(server, tmp_path_factory.mktemp("said"))


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"SECRET_KEY": "", "DEBUG": "0"}, "SECRET_KEY is missing"),
        ({"DEBUG": "perhaps"}, "DEBUG must be 1 or 0"),
        ({"DATABASE_URL": "mysql://x/y"}, "DATABASE_URL must be an address that starts with postgres://"),
        ({"DATABASE_URL": "postgres://host:port/name"}, "DATABASE_URL must be an address"),
        ({"DATABASE_URL": "postgres://host"}, "DATABASE_URL names no database"),
        ({"DATABASE_URL": "nonsense"}, "DATABASE_URL must be an address"),
        ({"DATABASE_URL": "postgres://a:5432,b:x/name"}, "DATABASE_URL must be an address"),
        ({"DATABASE_REPLICA_URL": "mysql://x/y"}, "DATABASE_REPLICA_URL must be an address"),
        ({"DATABASE_POOLED": "perhaps"}, "DATABASE_POOLED must be 1 or 0"),
        ({"REDIS_URL": "http://x"}, "REDIS_URL must be an address"),
        ({"EXCHANGE_WS_URL": "http://x"}, "EXCHANGE_WS_URL must be an address"),
        ({"MARKET_DATA_URL": "x"}, "MARKET_DATA_URL must be an address"),
        ({"MARKET_DATA_UPDATE_INTERVAL": "0"}, "MARKET_DATA_UPDATE_INTERVAL must be a whole number above 0"),
        ({"ALLOWED_HOSTS": "*"}, "ALLOWED_HOSTS must name the hosts"),
        ({"ALLOWED_HOSTS": "desk.example,*", "SECURE_COOKIES": "1"}, "ALLOWED_HOSTS must name the hosts"),
        ({"SECRET_KEY": "insecure: for a laptop only"}, "SECRET_KEY is one that everybody knows"),
        ({"SECRET_KEY": "django-insecure-abc", "SECURE_COOKIES": "1"}, "SECRET_KEY is one that everybody knows"),
        ({"DEBUG": "1", "ALLOWED_HOSTS": "desk.example"}, "DEBUG shows the inside to everybody"),
        ({"DEBUG": "1", "ALLOWED_HOSTS": "127.0.0.1,192.168.1.4"}, "ALLOWED_HOSTS names 192.168.1.4"),
        ({"ALLOWED_HOSTS": "desk.example", "SECURE_COOKIES": "0"}, "SECURE_COOKIES=0 is for a loopback address"),
        ({"BEHIND_TLS_PROXY": "1"}, "BEHIND_TLS_PROXY needs TRUSTED_PROXIES"),
        ({"SECOND_FACTOR": "everybody"}, "SECOND_FACTOR must be “optional” or roles"),
        ({"OIDC_ISSUER": "https://login.example"}, "OIDC_ISSUER needs OIDC_CLIENT_ID"),
        (
            {"OIDC_ISSUER": "http://login.example", "OIDC_CLIENT_ID": "a", "OIDC_CLIENT_SECRET": "b"},
            "OIDC_ISSUER must be an https:// address",
        ),
        ({"SECRET_KEY_FILE": "/nowhere"}, "SECRET_KEY_FILE can't be read: No such file or directory"),
        ({"TRUSTED_PROXIES": "10.0.0.0/33"}, "is no address or network"),
        ({"TRUSTED_PROXIES": "0.0.0.0/0"}, "would believe everybody"),
        ({"MARKET_DATA_REQUESTS_PER_MINUTE": "many"}, "MARKET_DATA_REQUESTS_PER_MINUTE must be a whole number"),
    ],
)
def test_a_wrong_value_is_one_sentence_and_exit_code_1(
    forked: Forked, environment: dict[str, str], sentence: str
) -> None:
    done = forked(**environment)
    assert done.returncode == 1
    assert done.stderr.startswith("Settings: ")
    assert sentence in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(
    "code", ["import reporting.asgi", "import reporting.celery; reporting.celery.app.conf.timezone"]
)
def test_every_kind_of_process_says_it_in_one_sentence(code: str) -> None:
    done = start(code, SECRET_KEY="")
    assert (done.returncode, len(done.stderr.strip().splitlines())) == (1, 1)


@pytest.mark.parametrize(
    "environment",
    [
        {"ALLOWED_HOSTS": "desk.example", "SECURE_COOKIES": "1"},
        {"DEBUG": "1", "SECRET_KEY": "", "ALLOWED_HOSTS": "localhost,127.0.0.2,[::1],desk.localhost"},
        {"DEBUG": "1", "ALLOWED_HOSTS": "desk.example", "DEMO_ANYWHERE": "1"},
        {"BEHIND_TLS_PROXY": "1", "TRUSTED_PROXIES": "10.0.0.0/8, fd00::1", "SECURE_COOKIES": "1"},
    ],
)
def test_safe_combinations_start(forked: Forked, environment: dict[str, str]) -> None:
    assert forked(**environment).stdout == "loaded\n"


def test_secrets_come_from_files_as_well(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("from a file, long enough\n")
    code = "from django.conf import settings as s; print(s.SECRET_KEY)"
    assert start(code, SECRET_KEY="", SECRET_KEY_FILE=str(file)).stdout == "from a file, long enough\n"


def test_production_is_the_default(forked: Forked) -> None:
    code = "from django.conf import settings as s; print(s.DEBUG, s.SESSION_COOKIE_SECURE, s.SECURE_SSL_REDIRECT)"
    assert forked(code, DEBUG="", SECURE_COOKIES="").stdout.split() == ["False", "True", "True"]
    assert forked(code, DEBUG="", SECURE_COOKIES="0").stdout.split() == ["False", "False", "False"]
    assert forked(code, DEBUG="1", SECURE_COOKIES="").stdout.split() == ["True", "False", "False"]


@pytest.mark.parametrize(
    ("url", "broker"),
    [
        ("redis://:pw@host:6379/2", "redis://:pw@host:6379/2"),
        ("rediss://host", "rediss://host"),
        ("unix:///run/redis.sock", "redis+socket:///run/redis.sock"),
    ],
)
def test_celery_gets_the_redis_address_in_its_own_spelling(url: str, broker: str) -> None:
    from reporting.settings import celery_broker

    assert celery_broker(url) == broker


def test_an_unreachable_database_is_one_sentence_for_a_command() -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "check_positions"],
        env={**os.environ, "DATABASE_URL": "postgres://nobody@127.0.0.1:9/nothing"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("PostgreSQL can't be used: ")
    assert "Traceback" not in done.stderr


def test_over_tls_the_jobs_broker_must_prove_who_it_is() -> None:
    code = "from reporting.celery import app; print(app.connection_for_read().ssl)"
    assert "CERT_REQUIRED" in start(code, REDIS_URL="rediss://:token@redis.example:6379/0").stdout
    assert start(code, REDIS_URL="redis://redis.example:6379/0").stdout.strip() in {"False", "None"}


def test_a_file_beside_the_project_names_everything_that_the_environment_can(tmp_path: Path) -> None:
    """Whether settings ask for a name by environs or by the operating system's environment."""
    shutil.copytree(ROOT / "reporting", tmp_path / "reporting")
    (tmp_path / ".env").write_text("ALLOWED_HOSTS=desk.example\nMETRICS_TOKEN=from-the-file\nLOG_LEVEL=ERROR\n")
    code = "import reporting.settings as s; print(s.ALLOWED_HOSTS, s.METRICS_TOKEN, s.LOGGING['level'])"
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "SECURE_COOKIES": "1", "LOG_LEVEL": "WARNING"}
    environment = {k: v for k, v in environment.items() if k not in {"ALLOWED_HOSTS", "METRICS_TOKEN"}}
    argv = [sys.executable, "-c", code]
    done = subprocess.run(argv, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.stdout == "['desk.example'] from-the-file WARNING\n", done.stderr
