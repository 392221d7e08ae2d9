"""Units of prices: words and signs of the currencies that power is traded in."""

from __future__ import annotations

import pytest

from market.dated.currencies import WORDS, is_unit_of


@pytest.mark.parametrize(
    ("currency", "units"),
    [
        ("EUR", ["euro", "EUR", "Euro/MWh", "eur/mwh", "€", "€/MWh", " EUR / MWh "]),
        ("GBP", ["GBP", "pound", "£", "£/MWh", "pounds/MWh", "sterling"]),
        ("PLN", ["PLN", "zł", "zloty", "PLN/MWh"]),
        ("SEK", ["SEK", "kr", "kr/MWh", "krona", "kronor"]),
        ("NOK", ["NOK", "kr", "krone", "kroner/MWh"]),
        ("DKK", ["DKK", "kr.", "krone"]),
        ("CHF", ["CHF", "Fr.", "franc", "CHF/MWh"]),
        ("RON", ["RON", "lei", "leu/MWh"]),
        ("CZK", ["CZK", "Kč", "Kč/MWh"]),
        ("HUF", ["HUF", "Ft", "forint"]),
        ("BGN", ["BGN", "лв", "лв.", "leva"]),
        ("RSD", ["RSD", "din", "дин", "dinar"]),
    ],
)
def test_a_currency_s_own_words_and_no_other_s(currency: str, units: list[str]) -> None:
    assert all(is_unit_of(unit, currency) for unit in units)
    others = {other for other in WORDS if any(is_unit_of(unit, other) for unit in units)} - {currency}
    assert others <= ({"SEK", "NOK", "DKK"} if "kr" in units or "kr." in units else set())


@pytest.mark.parametrize("unit", ["", "EUR/MW", "EUR/kWh", "ct/kWh", "USD", "eurocent", "EUR MWh", "/MWh", "MWh"])
def test_what_is_no_price_per_mwh(unit: str) -> None:
    assert not is_unit_of(unit, "EUR")
