"""One embedded PostgreSQL and Redis for a whole test run, shared by its xdist workers; Django set up on them.

This file must be read before Django's settings are, or find the environment already set by local/checks/run.py.
"""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack

import hypothesis
import pytest

from local.checks import testbed
from local.simulators.exchange import ScriptedExchange
from local.simulators.scripted_provider import ScriptedProvider

# What a worker has read stays until its end, and most of what a test makes goes without the collector, which would look
# through all of it every 700 objects.
gc.set_threshold(50_000, 10, 10)

_run = ExitStack()
_run.enter_context(testbed.entered())
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"

import django  # noqa: E402

django.setup()

from accounts.audit.view_log import view_log  # noqa: E402

view_log.note = lambda **_view: None  # type: ignore[method-assign]  # its thread writes outside of a transaction

from asgiref.sync import SyncToAsync  # noqa: E402
from django.conf import settings  # noqa: E402
from django.db import connections  # noqa: E402
from django.utils import translation  # noqa: E402

from market import clock  # noqa: E402
from tests import api_answers, quick_flush, quick_static  # noqa: E402
from tests.processes import AS_INSTALLED  # noqa: E402
from tests.template_database import template_database  # noqa: E402

# How long an example takes says something of the machine, nothing of the code.
hypothesis.settings.register_profile("desk", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.register_profile("repeatable", hypothesis.settings.get_profile("desk"), derandomize=True)
hypothesis.settings.load_profile("desk")


class TravellersClock(clock.DeskClock):
    """Goes where time_machine goes, and asks nobody: most tests are about something else than the desk's time."""

    def __init__(self) -> None:
        super().__init__(timer=time.time)
        self._ahead = 0.0  # its timer is the clock itself: to the microsecond

    def follow(self, *, every: float = 0.0) -> None:
        """Nothing: PostgreSQL doesn't travel."""

    def has_stepped(self) -> bool:
        """Never."""
        return False

    def report(self) -> None:
        """Nothing, for the same reason."""


clock.desk = TravellersClock()
quick_flush.install()
quick_static.install()
api_answers.install()


def _own_share_of_redis(worker: str) -> None:
    """Each xdist worker has a database number and a channel prefix of its own: hints must not cross over."""
    number = int(worker.removeprefix("gw")) + 1
    url = f"{settings.REDIS_URL}{'&' if '?' in settings.REDIS_URL else '?'}db={number}"
    settings.REDIS_URL = settings.CACHES["default"]["LOCATION"] = url
    settings.CHANNEL_LAYERS["default"]["CONFIG"]["prefix"] += f"-{worker}"


if "PYTEST_XDIST_WORKER" in os.environ:
    _own_share_of_redis(os.environ["PYTEST_XDIST_WORKER"])


@pytest.fixture(scope="session", autouse=True)
def _processes_as_installed() -> None:
    """Where tests run, not where workers are started: what they start finds no library of development's tools."""
    os.environ["PYTHONPATH"] = f"{AS_INSTALLED}:{os.environ.get('PYTHONPATH', testbed.ROOT)}"


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Each worker's database is a copy of one that is migrated already."""
    test = settings.DATABASES["default"].setdefault("TEST", {})
    test |= {"TEMPLATE": template_database(), "MIGRATE": False}
    connections["default"].settings_dict["TEST"] |= test


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """The tests and all that they import are out of the collector's sight from now on."""
    gc.freeze()


def pytest_unconfigure() -> None:
    """The servers end with the run (those that were given stay)."""
    _run.close()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """With CI set nothing may be skipped: a run with a skipped test or module fails."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI", "").lower() in {"", "0", "false"} or reporter is None:
        return
    if reporter.stats.get("skipped"):
        reporter.write_line("With CI set nothing may be skipped.", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(autouse=True)
def _no_connection_left_in_the_executor() -> Iterator[None]:
    """Consumers and the hub use the database in threads of theirs; what is left there would hold the test database."""
    from dashboard.live.hub import hub

    yield
    for executor in (SyncToAsync.single_thread_executor, hub._executor):
        if connections.settings and executor._threads:
            executor.submit(connections.close_all).result(timeout=10)


@pytest.fixture(autouse=True)
def _no_language_left_behind() -> Iterator[None]:
    """A request activates its reader's language for its thread, and tests share one."""
    yield
    translation.deactivate()


@pytest.fixture
def exchange() -> Iterator[ScriptedExchange]:
    """An exchange that sends what the test tells it to, and keeps a log."""
    with ScriptedExchange() as scripted:
        yield scripted


@pytest.fixture
def provider() -> Iterator[ScriptedProvider]:
    """A market data provider that answers what the test tells it to, and keeps a log."""
    with ScriptedProvider() as scripted:
        yield scripted
