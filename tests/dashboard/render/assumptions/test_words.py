"""How an assumption stands, in words."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.utils import translation

from dashboard.assumptions.rules import Claim
from dashboard.render.assumptions.words import favour_words

D = Decimal


@pytest.mark.parametrize(
    ("claim", "favour", "english", "german"),
    [
        ("up", "1.8", "+1.80 in your favour", "+1,80 zu Ihren Gunsten"),
        ("down", "-1.8", "1.80 against you", "1,80 gegen Sie"),
        ("up", "0", "stands still", "unverändert"),
        ("down", "-0.004", "stands still", "unverändert"),
        ("up", "0.005", "+0.01 in your favour", "+0,01 zu Ihren Gunsten"),
        ("within", "0", "at its bound", "genau an der Grenze"),
        ("above", "0", "at its bound", "genau an der Grenze"),
        ("below", "0.01", "+0.01 in your favour", "+0,01 zu Ihren Gunsten"),
    ],
)
def test_favour(claim: str, favour: str, english: str, german: str) -> None:
    for language, words in (("en", english), ("de", german)):
        with translation.override(language):
            assert favour_words(Claim(claim), D(favour), own=True) == words


def test_what_stands_still_is_for_nobody() -> None:
    with translation.override("en"):
        words = [favour_words(Claim.UP, D(amount), own=False) for amount in ("0", "2", "-2")]
    assert words == ["stands still", "+2.00 in its favour", "2.00 against it"]
