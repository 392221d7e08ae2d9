"""Updates: the version before on the new schema, the new one on the old, and everything restarted under load."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import date
from io import BytesIO
from pathlib import Path

import pytest
from django.contrib.auth.hashers import make_password

from dashboard.access.logins import create_trader_login
from local.checks.testbed import ROOT
from local.servers.processes import QUIET_WORKER
from tests.dashboard.people import PASSWORD
from tests.drills.rig.desk import Desk, using
from tests.drills.rig.listeners import Listener
from tests.drills.rig.readers import Balancer, Reader
from tests.prices.desk import celery
from tests.processes import AS_INSTALLED, free_port, wait_until
from tests.web.browsers import Browser, shown
from tests.web.serving import answers
from trades.ledger.effective import position_differences
from trades.ledger.position_history import slot_differences
from trades.ledger.rebuild import rebuild_positions
from trades.models import Trade

pytestmark = [pytest.mark.integration, pytest.mark.drill, pytest.mark.timeout(240)]

SETTINGS = "reporting.settings"
"""Another version has no settings for tests."""
PREVIOUS = (ROOT / "deploy" / "previous-release").read_text().split()[0]
"""The commit of the version before this one."""
DAY = date(2026, 11, 23)


# --- two versions -----------------------------------------------------------------------------------------------------
@pytest.fixture
def previous(tmp_path: Path) -> Path:
    """A folder with the code of the version before."""
    done = subprocess.run(["git", "archive", PREVIOUS], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == 0, f"the version before ({PREVIOUS}) is not in this clone: {done.stderr.decode()}"
    with tarfile.open(fileobj=BytesIO(done.stdout)) as archive:
        archive.extractall(tmp_path / "previous", filter="data")
    return tmp_path / "previous"


def _migrate(url: str, code: Path) -> None:
    environment = {
        **os.environ,
        "DATABASE_URL": url,
        "PYTHONPATH": f"{AS_INSTALLED}:{code}",
        "DJANGO_SETTINGS_MODULE": SETTINGS,
    }
    argv = [sys.executable, str(code / "manage.py"), "migrate", "-v", "0"]
    subprocess.run(argv, cwd=code, env=environment, check=True)


def _login() -> None:
    """A trader's login whose password is kept as production keeps it."""
    user = create_trader_login(trader_id="trader_1", username="anna", password=PASSWORD)
    user.password = make_password(PASSWORD, hasher="pbkdf2_sha256")
    user.save()


@contextmanager
def _web(desk: Desk, code: Path = ROOT, port: int | None = None) -> Iterator[str]:
    """A web process of that code, ready; its address."""
    port = port or free_port()
    environment = {
        **os.environ,
        "DATABASE_URL": desk.url,
        "REDIS_URL": desk.servers.own.redis_url,
        "PYTHONPATH": f"{AS_INSTALLED}:{code}",
        "DJANGO_SETTINGS_MODULE": SETTINGS,
        "PROCESS_ROLE": "web",
    }
    argv = [sys.executable, "-m", "daphne", "-b", "127.0.0.1", "-p", str(port), "reporting.asgi:application"]
    process = subprocess.Popen(argv, cwd=code, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        address = f"http://127.0.0.1:{port}"
        wait_until(lambda: _is_ready(address), f"{address}/readyz")
        yield address
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)
        process.kill()


def _is_ready(address: str) -> bool:
    return answers(address, "readyz")


def _push(desk: Desk, count: int, rate: float = 50) -> None:
    desk.feed.push(count, rate=rate)
    desk.feed.wait()


def test_the_version_before_on_the_new_schema_and_the_new_one_on_the_old(desk: Desk, previous: Path) -> None:
    """Old and new listeners side by side, before and after the migration; old and new pages after it: 0 lost."""
    desk.row.done = "old and new code on the old schema, then on the new one"
    desk.servers.drop_database(desk.database)
    desk.servers.create_empty(desk.database)
    _migrate(desk.url, previous)
    old = desk.listener("l1", code=previous)
    new = desk.listener("l2")
    _push(desk, 50)
    desk.wait_stored(desk.feed.ids())
    _migrate(desk.url, ROOT)
    _push(desk, 50)
    desk.wait_stored(desk.feed.ids())
    with using(desk.url):
        _login()
    counts = []
    for code in (previous, ROOT):
        with _web(desk, code) as address:
            counts.append(shown(Browser(address, "anna").board("trader_1", DAY)))
    assert counts[0] == counts[1] != "0"
    assert old.terminate() == 0
    old.code = ROOT
    old.start()
    assert new.terminate() == 0
    _push(desk, 50)
    desk.wait_stored(desk.feed.ids())
    with using(desk.url):
        rebuild_positions(keys=slot_differences())
        assert (position_differences(), slot_differences()) == ([], [])
        assert Trade.objects.count() == 150
    desk.verify()
    assert desk.row.lost == 0


# --- everything restarted under load --------------------------------------------------------------------------------
def _restart_listener(listener: Listener) -> None:
    assert listener.terminate(10) == 0
    listener.start()


@contextmanager
def _job(desk: Desk, *arguments: str) -> Iterator[None]:
    environment = {**os.environ, "DATABASE_URL": desk.url, "REDIS_URL": desk.servers.own.redis_url}
    process = subprocess.Popen(
        celery(*arguments), cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield
    finally:
        process.terminate()
        assert process.wait(15) is not None


@pytest.mark.long
def test_everything_restarted_under_load(desk: Desk) -> None:
    """Web one by one behind a balancer, worker, beat, listeners in turn, at 20 trades a second."""
    desk.row.done = "web x 2, worker, beat, listener x 2 restarted in turn, 20 trades/s, 10 readings/s, an open page"
    with using(desk.url):
        _login()
    pair = [desk.listener("l1"), desk.listener("l2")]
    balancer, worst = Balancer(), 0.0
    with ExitStack() as stack:
        webs = [ExitStack(), ExitStack()]
        for web in webs:
            stack.push(web)
            balancer.addresses.append(web.enter_context(_web(desk)))
        jobs = stack.enter_context(ExitStack())
        _start_jobs(jobs, desk)
        desk.feed.push(1000, rate=20)
        reader = stack.enter_context(Reader(balancer, Browser(balancer.pick(), "anna"), DAY))
        wait_until(lambda: reader.page > 0, "the open page")
        for number, web in enumerate(webs):
            leaving = balancer.addresses.pop(0)
            time.sleep(0.3)  # what was on its way there is answered
            web.close()
            balancer.addresses.append(web.enter_context(_web(desk)))
            assert leaving not in balancer.addresses, number
            worst = max(worst, reader.lag())
        jobs.close()
        _start_jobs(jobs, desk)
        for listener in pair:
            _restart_listener(listener)
            worst = max(worst, reader.lag())
        desk.feed.wait()
        desk.wait_stored(desk.feed.ids())
        worst = max(worst, reader.lag())
    assert reader.answers
    assert set(reader.answers) == {200}, reader.answers
    desk.row.note(worst=worst, of="until the open page was right")
    desk.verify()
    assert desk.row.lost == 0
    assert desk.gaps() == []


def _start_jobs(stack: ExitStack, desk: Desk) -> None:
    stack.enter_context(_job(desk, "worker", *QUIET_WORKER))
    stack.enter_context(_job(desk, "beat"))
