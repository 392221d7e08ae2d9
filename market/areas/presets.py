"""What is known of Europe's delivery areas, late 2026: what a new market begins with. Pure; sources: docs/markets.md.

A value that nobody has read in the words of an exchange, system operator or regulator is to be checked by a person.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, time
from decimal import Decimal

from market.periods import Marks
from market.rules import BLOCK, Phase

FIRST_DAY = date(2000, 1, 1)
"""A market's first rules hold from here on: before any delivery day that a desk has."""

CET = "Europe/Berlin"
"""The product zone of the coupled day, by whichever name: Central European time."""


@dataclass(frozen=True, slots=True)
class Closure:
    """A gate: the phase, minutes before delivery, and whether somebody has confirmed it."""

    phase: Phase
    minutes: int
    confirmed: bool = False


@dataclass(frozen=True, slots=True)
class Preset:
    """One area. `to_check` names the rule's fields that nobody has confirmed."""

    code: str
    name: str
    zone: str = CET
    display_zone: str = ""
    currency: str = "EUR"
    products: tuple[int, ...] = (60, 15)
    closures: tuple[Closure, ...] = (Closure(Phase.AREA, 5), Closure(Phase.BORDERS, 60))
    day_start: time | None = None
    opening: time | None = time(15)
    quarters_opening: time | None = None
    marks: Marks = Marks.UPPER
    lowest_price: Decimal | None = Decimal(-9999)
    highest_price: Decimal | None = Decimal(9999)
    to_check: Collection[str] = field(default=("marks",))


_AREA, _AREAS, _BORDERS = Phase.AREA, Phase.AREAS, Phase.BORDERS
_ALL_LENGTHS = (60, 30, 15)
_FIVE_AND_HOUR = (Closure(_AREA, 5, confirmed=True), Closure(_BORDERS, 60))

PRESETS = {
    preset.code: preset
    for preset in (
        Preset(
            "DE",
            "Germany and Luxembourg",
            products=(*_ALL_LENGTHS, BLOCK),
            closures=(Closure(_AREA, 5, True), Closure(_AREAS, 30, True), Closure(_BORDERS, 60)),
            quarters_opening=time(16),
            to_check=("quarters_opening",),
        ),
        Preset("AT", "Austria", marks=Marks.NUMBERED, to_check=("products", "marks")),
        Preset("FR", "France", products=_ALL_LENGTHS, marks=Marks.NUMBERED),
        Preset("BE", "Belgium", products=_ALL_LENGTHS, marks=Marks.NUMBERED),
        Preset("NL", "Netherlands", products=_ALL_LENGTHS),
        Preset(
            "CH",
            "Switzerland",
            zone="Europe/Zurich",
            products=_ALL_LENGTHS,
            closures=(Closure(_AREA, 5),),
            marks=Marks.NUMBERED,
            to_check=("products", "currency", "opening", "marks"),
        ),
        Preset(
            "PL",
            "Poland",
            closures=(Closure(_AREA, 60), Closure(_BORDERS, 60, True)),
            opening=time(14),
            marks=Marks.LOWER,
        ),
        Preset("SE", "Sweden", closures=(Closure(_AREA, 60, True),), marks=Marks.SECOND, to_check=()),
        Preset("DK", "Denmark", closures=(Closure(_AREA, 60),), marks=Marks.SECOND, to_check=()),
        Preset(
            "FI",
            "Finland",
            display_zone="Europe/Helsinki",
            closures=(Closure(_AREA, 30), Closure(_BORDERS, 30, True)),
            marks=Marks.SECOND,
            to_check=(),
        ),
        Preset(
            "EE",
            "Estonia",
            display_zone="Europe/Tallinn",
            closures=(Closure(_AREA, 30), Closure(_BORDERS, 30, True)),
        ),
        Preset("LV", "Latvia", display_zone="Europe/Riga", closures=(Closure(_AREA, 30), Closure(_BORDERS, 60))),
        Preset("LT", "Lithuania", display_zone="Europe/Vilnius", closures=(Closure(_AREA, 30), Closure(_BORDERS, 60))),
        Preset("BG", "Bulgaria", display_zone="Europe/Sofia", products=(60, 15, BLOCK), marks=Marks.NUMBERED),
        Preset("RO", "Romania", display_zone="Europe/Bucharest", currency="RON", to_check=("currency", "marks")),
        Preset("ES", "Spain", zone="Europe/Madrid"),
        Preset("PT", "Portugal", zone="Europe/Madrid", display_zone="Europe/Lisbon"),
        Preset(
            "GB",
            "Great Britain",
            zone="Europe/London",
            day_start=time(23),
            currency="GBP",
            products=(60, 30, BLOCK),
            closures=(Closure(_AREA, 15),),
            marks=Marks.SECOND,
            opening=None,
            to_check=("day_start", "lowest_price", "highest_price"),
        ),
        Preset(
            "IE",
            "Ireland",
            zone="Europe/Dublin",
            day_start=time(23),
            products=(30, BLOCK),
            closures=(Closure(_AREA, 60, True),),
            opening=time(11, 45),
        ),
        Preset(
            "RS",
            "Serbia",
            zone="Europe/Belgrade",
            products=(60,),
            closures=(Closure(_AREA, 60, True),),
            opening=time(18),
            marks=Marks.NUMBERED,
            lowest_price=Decimal(0),
        ),
    )
}
"""By code. Serbian prices are never negative."""
