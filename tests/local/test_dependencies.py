"""The bill of materials, the licences, and the honest answer about vulnerabilities."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from local.checks import dependencies
from local.checks.dependencies import (
    LICENCES,
    LOCK,
    NotCheckedError,
    Part,
    audit,
    bill,
    known_vulnerabilities,
    locked,
    main,
)

PARTS = locked(LOCK.read_text())
ROOT = LOCK.parent


def test_every_locked_package_has_hashes_and_no_registry_is_named() -> None:
    for name in ("requirements.txt", "requirements-local.txt", "requirements-dev.txt"):
        text = (ROOT / name).read_text()
        parts = locked(text)
        assert len(parts) > 2
        assert all(part.hashes for part in parts), name
        assert "://" not in text
        assert "--index" not in text


def test_the_bill_names_every_locked_package_with_its_hashes(tmp_path: Path) -> None:
    assert main(["sbom", str(tmp_path / "sbom.json")]) == 0
    made: dict[str, Any] = json.loads((tmp_path / "sbom.json").read_text())
    assert (made["bomFormat"], made["specVersion"]) == ("CycloneDX", "1.6")
    named = {component["purl"] for component in made["components"]}
    assert named == {part.purl for part in PARTS}
    assert all(component["hashes"] and component["licenses"] for component in made["components"])
    assert bill(PARTS[:1], version="1", now=datetime.now(UTC))["metadata"]["component"]["version"] == "1"


def test_the_document_has_every_licence() -> None:
    listed = {line.split("|")[1].strip() for line in LICENCES.read_text().splitlines()[6:] if line.startswith("|")}
    assert listed - {"package", "---"} >= {part.name for part in PARTS}, "run make licences"
    assert "not said" not in LICENCES.read_text()


class Advisories(BaseHTTPRequestHandler):
    """Knows one vulnerability, of django 1.0."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["queries"]
        bad = {"vulns": [{"id": "CVE-1"}]}
        results = [bad if query["package"]["purl"] == "pkg:pypi/django@1.0" else {} for query in asked]
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"results": results}).encode())

    def log_message(self, *_arguments: object) -> None:
        """Says nothing."""


def test_what_is_vulnerable_is_named_and_what_can_not_be_asked_is_not_called_good(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    parts = [Part("django", "1.0", ()), Part("other", "2", ())]
    with HTTPServer(("127.0.0.1", 0), Advisories) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        assert known_vulnerabilities(parts, address) == {"django 1.0": ["CVE-1"]}
        monkeypatch.setattr(dependencies.known_vulnerabilities, "__defaults__", (address,))
        assert audit(parts) == 1
        assert audit(parts[1:]) == 0
        server.shutdown()
    with pytest.raises(NotCheckedError):
        known_vulnerabilities(parts, "http://127.0.0.1:9")
    monkeypatch.setattr(dependencies.known_vulnerabilities, "__defaults__", ("http://127.0.0.1:9",))
    assert audit(parts) == 0
    said = capsys.readouterr().out
    assert "django 1.0 is known to be vulnerable: CVE-1" in said
    assert "NOT CHECKED" in said
