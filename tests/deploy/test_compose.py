"""compose.yaml runs every process of Procfile, hardened, from pinned images, by names that .env.example explains.

That it is compose at all is checked against the compose specification by a stage of its own (local/checks/run.py).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from twisted.web import http

from tests.processes import ROOT

TEXT = (ROOT / "compose.yaml").read_text()
COMPOSE: dict[str, Any] = yaml.load(TEXT, Loader=yaml.CSafeLoader)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
PROCFILE = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())
OURS = {name: service for name, service in SERVICES.items() if "build" in service}
RUN_ONCE = {"migrate", "proxy-files"}


def command(service: dict[str, Any]) -> str:
    """What the service runs; the image's own command without one of its own."""
    if "command" in service:
        return " ".join(service["command"])
    found = re.findall(r"^CMD (\[.*\])$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    return " ".join(yaml.safe_load(found[-1]))


def running(process: str) -> list[str]:
    wanted = PROCFILE[process].replace("${PORT:-8000}", "8000")
    return [name for name, service in OURS.items() if command(service).startswith(wanted)]


@pytest.mark.parametrize(("process", "count"), [("web", 2), ("listener", 2), ("worker", 1), ("beat", 1)])
def test_every_process_runs_as_often_as_it_should(process: str, count: int) -> None:
    assert set(PROCFILE) == {"web", "listener", "worker", "beat"}
    assert len(running(process)) == count
    for name in running(process):
        assert SERVICES[name]["healthcheck"]["test"][-2:] == ["reporting/alive.py", process]


def test_each_listener_has_a_journal_of_its_own() -> None:
    volumes = [tuple(SERVICES[name]["volumes"]) for name in running("listener")]
    assert len(set(volumes)) == len(volumes)
    for mounted in volumes:
        assert mounted[0].endswith(":/journal")
        assert mounted[0].partition(":")[0] in COMPOSE["volumes"]


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_hardened_and_limited(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert not service["user"].startswith("0:") or name == "proxy-files"
    assert {"mem_limit", "cpus", "pids_limit"} <= set(service)
    assert (service["restart"] == "unless-stopped") != (name in RUN_ONCE)
    assert name in RUN_ONCE or service["healthcheck"]["test"]
    assert not service.get("privileged")


def test_only_the_proxy_is_reached_from_outside() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["proxy"]
    assert COMPOSE["networks"]["inside"]["internal"] is True
    assert SERVICES["postgres"]["networks"] == SERVICES["valkey"]["networks"] == ["inside"]
    proxy = SERVICES["proxy"]["networks"]["front"]["ipv4_address"]
    assert all(service["environment"]["TRUSTED_PROXIES"] == proxy for service in OURS.values())


@pytest.mark.parametrize("name", SERVICES)
def test_every_image_is_pinned(name: str) -> None:
    image = SERVICES[name]["image"]
    assert image.startswith("${IMAGE:?") if name in OURS else re.search(r":\d+\.\d+(\.\d+)?(-\w+)?$", image)


def test_the_images_base_is_pinned_and_the_same_twice() -> None:
    bases = re.findall(r"^FROM (\S+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert len(bases) == 2
    assert len(set(bases)) == 1
    assert re.fullmatch(r"python:\d+\.\d+\.\d+-slim-\w+", bases[0])


def test_every_name_is_explained() -> None:
    example = (ROOT / ".env.example").read_text()
    from_env = set(re.findall(r"\$\{(\w+)", TEXT))
    given = {name for service in OURS.values() for name in service["environment"]}
    for name in from_env | given:
        assert re.search(rf"^#?{name}=", example, re.MULTILINE), name


def test_no_password_is_written_down_and_only_migrate_is_the_owner() -> None:
    for name, service in OURS.items():
        address = service["environment"]["DATABASE_URL"]
        assert re.fullmatch(r"postgres://(\w+):\$\{\w+:\?\}@postgres:5432/desk", address)
        assert ("desk_owner" in address) == (name == "migrate")
        assert service["env_file"] == ["desk.env"]


def test_files_that_are_mounted_are_there() -> None:
    mounted = [v for service in SERVICES.values() for v in service.get("volumes", []) if v.startswith("./")]
    assert mounted
    assert all((ROOT / volume.split(":")[0]).is_file() for volume in mounted)


def test_the_proxy_answers_nobody_for_metrics_and_knows_both_web_processes() -> None:
    text = Path(ROOT / "deploy" / "proxy" / "Caddyfile").read_text()
    assert "path /metrics /healthz /readyz" in text
    assert f"reverse_proxy {' '.join(f'{name}:8000' for name in running('web'))}" in text
    assert "idle 120s" in text, "browsers' connections"
    kept_by_the_web_process = http.HTTPFactory().timeOut  # daphne's factory leaves it as it is
    (to_the_web_process,) = re.findall(r"keepalive (\d+)s", text)
    assert kept_by_the_web_process is not None
    assert int(to_the_web_process) <= kept_by_the_web_process - 10
    assert text.count("{") == text.count("}")


def test_documents_name_services_that_are_there() -> None:
    text = "\n".join(page.read_text() for page in sorted((ROOT / "docs").rglob("*.md")))
    started = re.findall(r"--no-deps --wait ([a-z0-9 ]+)$", text, re.MULTILINE)
    in_turn = re.findall(r"^for name in ([a-z0-9 ]+); do docker compose up", text, re.MULTILINE)
    named = {word for words in (*started, *in_turn) for word in words.split()}
    assert {"web1", "listener1"} <= named <= set(SERVICES)
