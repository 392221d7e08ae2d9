"""The runner: what it plans from the environment, and a whole run with programs of our own."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

from local.servers import banner, cluster, processes, run
from local.servers.addresses import database_url, redis_url
from local.servers.processes import MARK, DeskError, make_plan
from local.servers.supervision import Program, Supervisor, configuration
from tests.processes import wait_until


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield int(listener.getsockname()[1])


def test_an_empty_environment_means_everything_of_our_own(tmp_path: Path) -> None:
    plan = make_plan(tmp_path, {"EXCHANGE_WS_URL": ""})
    assert plan.stand_ins == ["PostgreSQL", "Redis", "exchange simulator", "market data simulator"]
    assert plan.environment["DATABASE_URL"] == database_url(tmp_path)
    assert plan.environment["REDIS_URL"] == redis_url(tmp_path)
    assert plan.environment["EXCHANGE_WS_URL"] == f"ws://127.0.0.1:{plan.exchange_port}"
    assert plan.environment["MARKET_DATA_URL"] == f"http://127.0.0.1:{plan.provider_port}"
    assert plan.debug
    assert plan.address == "http://127.0.0.1:8000"


@pytest.mark.parametrize(
    ("name", "value", "played"),
    [
        ("DATABASE_URL", "postgres://a@b/c", "PostgreSQL"),
        ("REDIS_URL", "redis://b", "Redis"),
        ("EXCHANGE_WS_URL", "wss://exchange", "exchange simulator"),
        ("MARKET_DATA_URL", "https://provider", "market data simulator"),
    ],
)
def test_what_the_environment_names_is_not_played(tmp_path: Path, name: str, value: str, played: str) -> None:
    plan = make_plan(tmp_path, {name: value})
    assert played not in plan.stand_ins
    assert len(plan.stand_ins) == 3
    assert plan.environment[name] == value


def test_a_simulator_gives_way_when_its_usual_port_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "is_free", lambda _host, _port: False)
    plan = make_plan(tmp_path, {})
    assert plan.exchange_port not in {None, processes.EXCHANGE_PORT}
    assert plan.environment["EXCHANGE_WS_URL"].endswith(str(plan.exchange_port))


def test_more_markets_have_an_exchange_and_a_provider_each(tmp_path: Path) -> None:
    plan = make_plan(tmp_path, {"MARKETS": "DE, fi,GB"})
    assert [market.code for market in plan.more_markets] == ["FI", "GB"]
    ports = [plan.exchange_port, plan.provider_port]
    ports += [port for market in plan.more_markets for port in (market.exchange_port, market.provider_port)]
    assert len({8000, *ports}) == 7
    running = {program.name: program.argv for program in processes.programs(plan, tmp_path)}
    assert running["listener-FI"][-2:] == ["--market", "FI"]
    assert running["listener"][-2:] == ["--market", "DE"]
    assert "GB" in running["simulate_market_data-GB"]
    assert plan.more_markets[0].addresses.startswith("FI=ws://127.0.0.1:")
    alone = {program.name: program.argv for program in processes.programs(make_plan(tmp_path, {}), tmp_path)}
    assert "listener-FI" not in alone and "--market" not in alone["listener"]


@pytest.mark.parametrize(("text", "sentence"), [("DE,XX", "names “XX”"), ("FI", "names DE"), ("DE,FI,FI", "once")])
def test_markets_that_can_t_be_played(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(DeskError, match=sentence):
        make_plan(tmp_path, {"MARKETS": text})


@pytest.mark.parametrize("text", ["none", "0", "65536", "-1", "80.5"])
def test_a_port_that_is_no_port(tmp_path: Path, text: str) -> None:
    with pytest.raises(DeskError, match="PORT must be a number"):
        make_plan(tmp_path, {"PORT": text})


def test_a_taken_port_is_one_sentence_and_nothing_is_started(var: Path, taken_port: int) -> None:
    plan = make_plan(var, {"PORT": str(taken_port)})
    with pytest.raises(DeskError, match=f"Port {taken_port} on 127.0.0.1 is taken"):
        run.run_desk(plan)
    assert not var.exists()


def test_only_one_run_at_a_time(var: Path) -> None:
    with run._only_run(var), pytest.raises(DeskError, match=f"runs already .process {os.getpid()}"), run._only_run(var):
        pass
    with run._only_run(var):
        pass


def test_the_demo_password_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    password = banner.demo_password(tmp_path)
    assert len(password) >= 16
    assert banner.demo_password(tmp_path) == password
    assert (tmp_path / "demo-password").stat().st_mode & 0o777 == 0o600


def test_the_desk_stops_before_the_simulators_and_these_before_the_servers(tmp_path: Path) -> None:
    plan = make_plan(tmp_path, {"DATABASE_URL": "postgres://a@b/c"})
    names = [(p.group, p.name) for p in processes.programs(plan, tmp_path)]
    assert names == [
        ("servers", "redis"),
        ("simulators", "simulate_exchange"),
        ("simulators", "simulate_market_data"),
        ("desk", "beat"),
        ("desk", "worker"),
        ("desk", "listener"),
        ("desk", "web"),
    ]
    text = configuration(tmp_path, processes.programs(plan, tmp_path))
    assert text.index("[group:servers]") < text.index("[group:simulators]") < text.index("[group:desk]")


def test_a_percent_sign_or_a_space_in_a_path_does_no_harm(tmp_path: Path) -> None:
    program = Program("web", "desk", ["/a 100%/python", "-c", "x"], tmp_path)
    assert "command = '/a 100%%/python' -c x\n" in configuration(tmp_path, [program])


@pytest.fixture
def supervisor(var: Path) -> Iterator[Supervisor]:
    cluster.prepare(var, postgres=False)
    sleeper = Program("sleeper", "desk", [sys.executable, "-c", "import time; time.sleep(600)"], var)
    failing = Program("failing", "desk", [sys.executable, "-c", "raise SystemExit(3)"], var)
    supervised = Supervisor(var, [sleeper, failing], {**os.environ, MARK: str(var)})
    supervised.start()
    yield supervised
    supervised.stop(20)
    run.end_leftovers(var)


def pid_of(supervisor: Supervisor, name: str) -> int:
    return next((state.pid for state in supervisor.states() if state.name == name), 0)


def test_what_ends_is_started_again_and_stop_stops_all(supervisor: Supervisor) -> None:
    supervisor.launch(supervisor.programs[0])
    wait_until(lambda: any(s.state == "RUNNING" for s in supervisor.states()), "the runner")
    first = pid_of(supervisor, "sleeper")
    psutil.Process(first).kill()
    wait_until(lambda: pid_of(supervisor, "sleeper") not in {0, first}, "the runner")
    second = pid_of(supervisor, "sleeper")
    supervisor.stop(20)
    assert not psutil.pid_exists(second)
    assert supervisor.states() == []


def test_what_keeps_failing_is_told_once_and_tried_again(
    supervisor: Supervisor, var: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    failing, told = supervisor.programs[1], dict[str, float]()
    supervisor.launch(failing)
    wait_until(lambda: any(s.state == "BACKOFF" for s in supervisor.states()), "the runner")
    for _ in range(3):
        for state in supervisor.states():
            run._look_after(state, failing, supervisor, told, var)
    said = capsys.readouterr().out
    assert said.count("failing has ended and is started again; its log:") == 1
    assert "failing.log" in said


def test_leftovers_of_a_killed_run_are_ended_and_nothing_else(supervisor: Supervisor, var: Path) -> None:
    supervisor.launch(supervisor.programs[0])
    wait_until(lambda: any(s.state == "RUNNING" for s in supervisor.states()), "the runner")
    orphan = psutil.Process(pid_of(supervisor, "sleeper"))
    assert supervisor.process
    supervisor.process.kill()
    supervisor.process.wait()
    assert orphan.is_running()
    assert run.end_leftovers(var.parent / "another desk") == 0
    assert orphan.is_running()
    assert run.end_leftovers(var) >= 1
    assert not orphan.is_running() or orphan.status() == psutil.STATUS_ZOMBIE
