"""What the product is made of: a software bill of materials, its licences, and whether any of it is known to be broken.

`python -m local.checks.dependencies sbom FILE` (CycloneDX 1.6), `licences` (docs/licences.md anew), `audit`. All of it
is read from requirements.txt, the lock of what runs in production, and from what is installed.
"""

from __future__ import annotations

import json
import re
import sys
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
LOCK = ROOT / "requirements.txt"
LICENCES = ROOT / "docs" / "licences.md"
ADVISORIES = "https://api.osv.dev/v1/querybatch"
SECONDS = 10
_PINNED = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s;\\]+)")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Part:
    """A locked package: every hash of it that the lock accepts."""

    name: str
    version: str
    hashes: tuple[str, ...]

    @property
    def purl(self) -> str:
        return f"pkg:pypi/{self.name.lower().replace('_', '-')}@{self.version}"


def locked(text: str) -> list[Part]:
    """The parts of a lock file; pure."""
    parts: list[Part] = []
    for block in re.split(r"\n(?=\S)", text):
        match = _PINNED.match(block)
        if match:
            parts.append(Part(match[1], match[2], tuple(_HASH.findall(block))))
    return parts


def licence_of(name: str) -> str:
    """What the installed package says of its licence: an expression, a line, or its classifiers."""
    try:
        about = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return "not installed here: for another Python or platform"
    expression = _one(about, "License-Expression")
    classifiers = [c.rpartition(" :: ")[2] for c in about.get_all("Classifier") or () if c.startswith("License :: ")]
    line = _one(about, "License")
    short = line if line and "\n" not in line and len(line) < 60 else ""
    return expression or short or ", ".join(classifiers) or "not said"


def _one(about: metadata.PackageMetadata, name: str) -> str:
    return str((about.get_all(name) or [""])[0]).strip()


def bill(parts: list[Part], *, version: str, now: datetime) -> dict[str, Any]:
    """The bill of materials in CycloneDX's words."""
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid4()}",
        "version": 1,
        "metadata": {
            "timestamp": now.astimezone(UTC).isoformat(timespec="seconds"),
            "component": {"type": "application", "name": "reporting", "version": version},
        },
        "components": [
            {
                "type": "library",
                "bom-ref": part.purl,
                "name": part.name,
                "version": part.version,
                "purl": part.purl,
                "licenses": [{"license": {"name": licence_of(part.name)}}],
                "hashes": [{"alg": "SHA-256", "content": digest} for digest in part.hashes],
            }
            for part in parts
        ],
    }


def licences(parts: list[Part]) -> str:
    """The document of licences, in Markdown."""
    names = sorted({part.name for part in parts})
    rows = "\n".join(f"| {name} | {licence_of(name)} |" for name in names)
    return (
        "# Licences\n\nOf what runs in production, as each package says itself; made by `make licences` from\n"
        "requirements.txt. What the browser gets from us is named in [static/vendor](../static/vendor).\n\n"
        f"| package | licence |\n|---|---|\n{rows}\n"
    )


# --- known vulnerabilities ------------------------------------------------------------------------------------------
class NotCheckedError(Exception):
    """The advisories can't be asked; the message says why."""


def known_vulnerabilities(parts: list[Part], address: str = ADVISORIES) -> dict[str, list[str]]:
    """Part -> the numbers of its advisories, as the open database of vulnerabilities knows them. NotCheckedError."""
    queries = [{"package": {"purl": part.purl}} for part in parts]
    request = urllib.request.Request(  # noqa: S310 - a fixed https address
        address, json.dumps({"queries": queries}).encode(), {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310
            results = json.load(answer)["results"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NotCheckedError(str(getattr(error, "reason", error)) or type(error).__name__) from None
    if len(results) != len(parts):
        raise NotCheckedError("the answer is not about what was asked")
    by_part = {f"{part.name} {part.version}": list(_numbers(hit)) for part, hit in zip(parts, results, strict=True)}
    return {name: numbers for name, numbers in by_part.items() if numbers}


def _numbers(result: dict[str, Any] | None) -> Iterator[str]:
    yield from (str(advisory["id"]) for advisory in (result or {}).get("vulns") or ())


def audit(parts: list[Part]) -> int:
    """Say what is known, or that nobody could be asked: 1 only for what is known to be vulnerable."""
    try:
        vulnerable = known_vulnerabilities(parts)
    except NotCheckedError as error:
        print(f"Known vulnerabilities: NOT CHECKED, the advisories can't be reached ({error}).")
        return 0
    for name, numbers in vulnerable.items():
        print(f"{name} is known to be vulnerable: {', '.join(numbers)}")
    print(f"Known vulnerabilities: {len(parts)} packages checked, {len(vulnerable)} of them vulnerable.")
    return 1 if vulnerable else 0


def main(arguments: list[str]) -> int:
    """`sbom FILE`, `licences` or `audit`."""
    parts = locked(LOCK.read_text(encoding="utf-8"))
    if arguments[:1] == ["sbom"] and len(arguments) == 2:
        version = re.search(r"^## ([0-9.]+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
        made = bill(parts, version=version[1] if version else "", now=datetime.now(UTC))
        Path(arguments[1]).write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
        print(f"{len(parts)} packages in {arguments[1]}")
        return 0
    if arguments == ["licences"]:
        LICENCES.write_text(licences(parts), encoding="utf-8")
        return 0
    if arguments == ["audit"]:
        return audit(parts)
    print("sbom FILE, licences or audit", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
