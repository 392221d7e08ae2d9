"""Every answer of the API that any test gets is held against the document that describes it."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from django.test import Client
from jsonschema import Draft202012Validator

PREFIX = "/api/v1/"
UNDESCRIBED = {405, 500}
"""A method that an address doesn't have, and trouble, are no part of what is described."""
CHECKED: set[tuple[str, str, int]] = set()


@cache
def described() -> tuple[dict[str, Any], list[tuple[re.Pattern[str], str]]]:
    """The document, and its addresses as patterns."""
    from dashboard.pages.programs.api import document

    found = document()
    kinds = {"{trader_id}": "(.+)", "{number}": r"(\d+)"}
    patterns = []
    for path in found["paths"]:
        parts = re.split(r"(\{\w+\})", path)
        text = "".join(kinds.get(part, "([^/]+)") if part.startswith("{") else re.escape(part) for part in parts)
        patterns.append((re.compile(text), path))
    return found, patterns


@cache
def validator(path: str, method: str, status: int) -> Draft202012Validator | None:
    """For one answer; None for one that is not described."""
    document, _ = described()
    answer = document["paths"][path].get(method, {}).get("responses", {}).get(status)
    schema = (answer or {}).get("content", {}).get("application/json", {}).get("schema")
    return Draft202012Validator({**schema, "components": document["components"]}) if schema else None


def problems(method: str, path: str, status: int, content_type: str, answer: Any) -> list[str]:
    """What is not as the document says, a sentence each."""
    method = "get" if method == "HEAD" else method.lower()
    template = next((template for pattern, template in described()[1] if pattern.fullmatch(path)), None)
    if template is None or status in UNDESCRIBED or status == 304 or not content_type.startswith("application/json"):
        return []
    if method not in described()[0]["paths"][template]:
        return []
    checks = validator(template, method, status)
    if checks is None:
        return [f"{method} {template} answers {status}, which the document doesn't know"]
    CHECKED.add((method, template, status))
    return [f"{method} {path} {status}: {error.json_path}: {error.message}" for error in checks.iter_errors(answer)]


def install() -> None:
    """From now on Django's test client checks what it gets."""
    ask = Client.request

    def request(self: Client, **asked: Any) -> Any:
        response = ask(self, **asked)
        path = asked.get("PATH_INFO", "")
        if path.startswith(PREFIX) and not response.streaming and response.content:
            kind, method = response.headers.get("Content-Type", ""), asked["REQUEST_METHOD"]
            if kind.startswith("application/json"):
                wrong = problems(method, path, response.status_code, kind, response.json())
                assert not wrong, "\n".join(wrong)
        return response

    Client.request = request  # type: ignore[method-assign]
