"""Columns as parameters: whatever stands in them arrives as it is, and a client can write them out."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from market.statements.columns import BinaryColumn, column_of

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
moments = st.datetimes(datetime(1990, 1, 1), datetime(2199, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001


def through(kind: str, column: BinaryColumn | str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT c FROM unnest(%s::{kind}[]) WITH ORDINALITY AS t (c, n) ORDER BY n", [column])
        return [value for (value,) in cursor.fetchall()]


class TestColumns(TestCase):
    @given(st.lists(texts))
    def test_texts(self, values: list[str]) -> None:
        assert through("text", column_of(values)) == values

    @given(st.lists(moments))
    def test_moments(self, values: list[datetime]) -> None:
        assert through("timestamptz", column_of(values)) == values

    @given(st.lists(st.dates(date(1990, 1, 1))))
    def test_days(self, values: list[date]) -> None:
        assert through("date", column_of(values)) == values

    @given(st.lists(st.decimals("-99999", "99999", places=4)))
    def test_numbers(self, values: list[Decimal]) -> None:
        assert through("numeric", column_of(values)) == values

    @given(st.lists(st.integers(-(2**63), 2**63 - 1)))
    def test_integers(self, values: list[int]) -> None:
        assert through("bigint", column_of(values)) == values


@pytest.mark.django_db
def test_words_that_mean_something_in_an_array_of_text_and_moments_of_another_zone() -> None:
    odd = ["NULL", "null", "", " ", "{}", 'a"b', "a\\b", "a,b", "\t", "ß", "→", "{NULL}"]
    assert through("text", column_of(odd)) == odd
    berlin = datetime(2026, 10, 25, 2, 30, tzinfo=timezone(timedelta(hours=1)))
    assert through("timestamptz", column_of([berlin])) == [berlin]


def test_moments_go_in_binary_form_and_the_rest_as_the_text_of_an_array() -> None:
    assert isinstance(column_of([date(2026, 11, 29)]), BinaryColumn)
    assert column_of(["a", "b"]) == '{"a","b"}'
    assert column_of(['a"', "b\\"]) == '{"a\\"","b\\\\"}'
    assert column_of([1, 2]) == "{1,2}"
    assert column_of([Decimal("-1.50")]) == "{-1.50}"
    assert column_of([]) == "{}"


@pytest.mark.django_db
def test_a_statement_that_is_written_down_has_its_values() -> None:
    """Django writes statements down with their values where they are captured."""
    with CaptureQueriesContext(connection) as captured:
        through("text", column_of(["a'b", "c"]))
    assert """'{"a''b","c"}'""" in captured[0]["sql"]
