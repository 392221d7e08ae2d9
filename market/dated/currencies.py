"""Currencies that power is traded in, with the words and signs that providers write for them. Pure."""

from __future__ import annotations

WORDS = {
    "EUR": ("euro", "euros", "€"),
    "GBP": ("pound", "pounds", "pound sterling", "sterling", "£"),
    "PLN": ("zloty", "złoty", "zł"),
    "SEK": ("swedish krona", "krona", "kronor", "kr"),
    "NOK": ("norwegian krone", "krone", "kroner", "kr"),
    "DKK": ("danish krone", "krone", "kroner", "kr"),
    "CHF": ("swiss franc", "franc", "francs", "fr", "sfr"),
    "RON": ("romanian leu", "leu", "lei"),
    "CZK": ("czech koruna", "koruna", "kč"),
    "HUF": ("hungarian forint", "forint", "ft"),
    "BGN": ("bulgarian lev", "lev", "leva", "лв"),
    "RSD": ("serbian dinar", "dinar", "dinars", "din", "дин"),
}
"""Code -> what is written for it beside the code itself, in small letters. A market has one currency, so that a word
of several ("kr") means that one."""

SIGNS = {"EUR": "€", "GBP": "£", "PLN": "zł", "CZK": "Kč"}
"""What people write on a page; the code for the others, whose signs are shared or unknown elsewhere."""


def is_unit_of(unit: str, currency: str) -> bool:
    """Whether a provider's unit is a price per MWh in the currency: "EUR/MWh", "euro", "£ / MWh".

    Another currency's word, or another energy's (MW, kWh), is not.
    """
    money, slash, energy = (part.strip() for part in unit.strip().lower().partition("/"))
    if slash and energy != "mwh":
        return False
    return money.rstrip(".") in {currency.lower(), *WORDS.get(currency, ())}
