"""How a process speaks to PostgreSQL: its session's limits, several servers, and a pooler between."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from reporting import machines
from reporting.database import LONGEST_SILENCE_IN_TRANSACTION, Speaker, database, session_settings, standby

ROOT = Path(__file__).resolve().parents[2]
URL = "postgres://desk:secret@db.example:5433/desk"
LIMITS = "-c idle_in_transaction_session_timeout=10000 -c statement_timeout=5000"


def test_a_session_has_the_limits_of_its_kind_of_process() -> None:
    web = database(URL, Speaker("web", 7))
    assert web["OPTIONS"]["options"] == LIMITS
    assert web["OPTIONS"]["pool"]["max_size"] == 7
    assert (web["CONN_MAX_AGE"], web["DISABLE_SERVER_SIDE_CURSORS"]) == (0, False)
    command = database(f"{URL}?options=-c%20work_mem%3D8MB", Speaker("check_positions", 7))
    assert command["OPTIONS"]["options"] == "-c work_mem=8MB"
    assert (command["CONN_MAX_AGE"], command["OPTIONS"]["prepare_threshold"]) == (None, 3)
    assert "pool" not in command["OPTIONS"]


@pytest.mark.parametrize("role", [*LONGEST_SILENCE_IN_TRANSACTION, "migrate"])
def test_behind_a_pooler_nothing_is_left_on_a_connection(role: str) -> None:
    """No prepared statement, no cursor beyond its transaction, no setting: the next one to have it is somebody else."""
    pooled = database(URL, Speaker(role, 7, pooled=True))
    assert pooled["OPTIONS"]["prepare_threshold"] is None
    assert pooled["DISABLE_SERVER_SIDE_CURSORS"] is True
    assert "options" not in pooled["OPTIONS"]


def test_the_pooler_in_deploy_sets_the_same_limits() -> None:
    text = (ROOT / "deploy" / "postgres" / "pgbouncer.ini").read_text()
    found = dict(re.findall(r"^desk_(\w+) = .*connect_query='(.*)'$", text, re.MULTILINE))
    assert found.keys() == LONGEST_SILENCE_IN_TRANSACTION.keys() - {"import_trades"}
    for role, query in found.items():
        assert query == "; ".join(f"SET {name} = {value}" for name, value in session_settings(role).items())


def test_the_pooler_in_deploy_gives_up_a_machine_as_soon() -> None:
    text = (ROOT / "deploy" / "postgres" / "pgbouncer.ini").read_text()
    found = {name: int(value) for name, value in re.findall(r"^tcp_(\w+) = (\d+)$", text, re.MULTILINE)}
    ours = machines.for_libpq()
    names = {"user_timeout": "tcp_user_timeout", "keepidle": "keepalives_idle"}
    names |= {"keepintvl": "keepalives_interval", "keepcnt": "keepalives_count"}
    assert found == {name: ours[option] for name, option in names.items()}


@pytest.mark.parametrize(
    ("places", "host", "port"),
    [
        ("a.example:5432,b.example:5433", "a.example,b.example", "5432,5433"),
        ("a.example,b.example:5433", "a.example,b.example", ",5433"),
        ("%2Frun%2Fa,%2Frun%2Fb", "/run/a,/run/b", ","),
    ],
)
def test_several_servers_stand_beside_each_other(places: str, host: str, port: str) -> None:
    """As libpq tries them, one after another, until one of the wanted kind answers."""
    made = database(f"postgres://desk:a%2Cb@{places}/desk?target_session_attrs=read-write", Speaker("web", 2))
    assert (made["HOST"], made["PORT"], made["NAME"]) == (host, port, "desk")
    assert (made["USER"], made["PASSWORD"]) == ("desk", "a,b")
    assert made["OPTIONS"]["target_session_attrs"] == "read-write"


@pytest.mark.parametrize("places", ["a:x,b", "a,b:5432:1", "a:port"])
def test_a_port_is_a_number(places: str) -> None:
    with pytest.raises(ValueError, match=r"[pP]ort"):
        database(f"postgres://{places}/desk", Speaker("web", 2))


def test_a_standby_is_connected_to_for_one_answer_and_soon_given_up() -> None:
    """It may be away: no pool waits for it, and its limits are the web process's."""
    settings = standby(database(URL, Speaker("web", 7)))
    assert "pool" not in settings["OPTIONS"]
    assert (settings["CONN_MAX_AGE"], settings["OPTIONS"]["options"]) == (0, LIMITS)
    assert settings["OPTIONS"]["connect_timeout"] * 1000 <= settings["OPTIONS"]["tcp_user_timeout"] <= 5000
