"""Schemathesis asks everything that the document allows, and much that it doesn't."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIHandler
from hypothesis import HealthCheck, Phase, given, settings

from accounts.tokens import create_token
from market import clock
from tests.dashboard.boards import store_sketch
from tests.dashboard.people import a_trader
from tests.trades.frames import germany

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def described(transactional_db: None, settings: Any) -> Any:
    """The API of this process, with something in it, asked with a token."""
    import schemathesis  # takes its time: for this test, not for all that collect

    settings.API_REQUESTS_PER_MINUTE = 1_000_000
    settings.ALLOWED_HOSTS = ["*"]
    germany()
    store_sketch()
    user = a_trader()
    token = create_token(user=user, name="schemathesis", scope="write", now=clock.now())
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", WSGIHandler())
    schema.config.update(headers={"Authorization": f"Bearer {token}"})
    return schema


def checks() -> tuple[Any, ...]:
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi import checks as of

    described = (of.status_code_conformance, of.content_type_conformance, of.response_schema_conformance)
    return (not_a_server_error, *described)


def test_no_question_is_answered_otherwise_than_described(described: Any) -> None:
    asked, judged_by = set(), checks()
    for found in described.get_all_operations():
        operation = found.ok()
        if operation.path == "/api/v1/events":  # it has no end
            continue

        @given(case=operation.as_strategy())
        @settings(max_examples=15, deadline=None, phases=(Phase.generate,), suppress_health_check=list(HealthCheck))
        def check(case: Any) -> None:
            asked.add(case.path)
            case.validate_response(case.call(), checks=judged_by)

        check()
    assert len(asked) >= 10
