"""How firm a row's result is, beside it: a thin band, a word, and on demand what both rest on."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext, pgettext

from dashboard.figures.firmness.rules import DAYS, Band, Firmness, Word
from dashboard.figures.performance import Figures
from dashboard.render import formatting as fmt
from market.totals import EXACT

MIDDLE = 24
"""Half the width of a band's picture: where 0 is."""


@dataclass(frozen=True, slots=True)
class FirmMark:
    """`wide` and `narrow` are paths, empty where nothing is said; `words` says all of it."""

    name: str
    word: str
    words: str
    wide: str = ""
    narrow: str = ""


def firm_mark(firm: Firmness | None, figures: Figures) -> FirmMark | None:
    """A row's mark: its band is of EUR/MWh, on a scale that has 0 in the middle. None for a row without a result."""
    if firm is None or firm.word is Word.FINAL:
        return None
    bands = [_per_mwh(band, figures) for band in (firm.wide, firm.narrow)]
    wide, narrow = bands
    if wide is None or narrow is None:
        return FirmMark(firm.word.value, word_text(firm.word), firm_words(firm))
    most = max(abs(wide.low), abs(wide.high), Decimal("0.01"))
    words = gettext("at closure %(low)s to %(high)s per MWh in 8 of 10 like cases") % {
        "low": fmt.number(wide.low, signed=True),
        "high": fmt.number(wide.high, signed=True),
    }
    return FirmMark(
        firm.word.value, word_text(firm.word), f"{words}; {firm_words(firm)}", _path(wide, most), _path(narrow, most)
    )


def word_text(word: Word) -> str:
    """How firm, in one word."""
    return {
        Word.OPEN: pgettext("how firm", "open"),
        Word.LEANING: pgettext("how firm", "leaning"),
        Word.FIRM: pgettext("how firm", "firm"),
        Word.LOCKED: pgettext("how firm", "locked in"),
        Word.FINAL: pgettext("how firm", "final"),
        Word.TOO_FEW: pgettext("how firm", "too few"),
    }[word]


def firm_words(firm: Firmness) -> str:
    """What the word rests on, in a sentence."""
    if firm.word is Word.FINAL:
        return gettext("the reference is final")
    if firm.word is Word.LOCKED:
        return gettext("bought and sold are equal: the result moves with no reference")
    if firm.word is Word.TOO_FEW:
        return gettext("too few like cases, %(count)s in %(days)s days") % {
            "count": fmt.count(firm.cases),
            "days": DAYS,
        }
    if firm.turned is None:
        return gettext("the result is 0: whichever way the reference goes, it leaves it")
    return gettext("of %(count)s like cases in %(days)s days the sign turned in %(share)s") % {
        "count": fmt.count(firm.cases),
        "days": DAYS,
        "share": percent(firm.turned),
    }


def firm_lines(firm: Firmness, currency: str) -> str:
    """All of it in one line: the word, the bands of the result in the market's currency, and what they rest on."""
    said = []
    for band, pattern in (
        (firm.wide, gettext("8 of 10 like cases end between %(low)s and %(high)s %(currency)s")),
        (firm.narrow, gettext("5 of 10 between %(low)s and %(high)s")),
    ):
        if band is not None:
            ends = {"low": fmt.number(band.low, signed=True), "high": fmt.number(band.high, signed=True)}
            said.append(pattern % {**ends, "currency": currency})
    return f"{word_text(firm.word)}: {', '.join([*said, firm_words(firm)])}"


def percent(share: Decimal) -> str:
    """A share of 1 as a whole percentage."""
    return f"{share * 100:.0f} %"


def _per_mwh(band: Band | None, figures: Figures) -> Band | None:
    if band is None or not figures.priced_mwh:
        return None
    return Band(EXACT.divide(band.low, figures.priced_mwh), EXACT.divide(band.high, figures.priced_mwh))


def _path(band: Band, most: Decimal) -> str:
    low, high = (round(MIDDLE + float(end / most) * MIDDLE) for end in (band.low, band.high))
    return f"M{low} 4H{max(high, low + 1)}"
