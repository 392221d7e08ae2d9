"""Numbers, times and labels as people read them: formatted once, here, and never in a template.

Amounts are Decimals in the market's currency, MWh, or currency per MWh. Undefined (None) is shown as "—", never as 0.
The decimal mark and the names of days and months are those of the active language; `plain` and `utc` are for programs.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from enum import StrEnum
from zoneinfo import ZoneInfo

from django.utils.dateformat import format as format_date
from django.utils.formats import get_format
from django.utils.html import format_html, format_html_join
from django.utils.translation import pgettext

from dashboard.figures.performance import rounded

UNDEFINED = "—"
MINUS = "\u2212"
THOUSANDS = "\u202f"
EN_DASH = "–"
_SIGNS = {"EUR": "€", "GBP": "£"}


class Trend(StrEnum):
    """What a result means, judged by the figure as shown, so that colour and text can't disagree."""

    GOOD = "good"
    BAD = "bad"
    EVEN = "even"
    NONE = "none"


def number(value: Decimal | None, *, signed: bool = False) -> str:
    """Two decimals, a true minus, thin spaces between thousands; `signed` puts a plus before what is above zero."""
    if value is None:
        return UNDEFINED
    shown = rounded(value)
    sign = MINUS if shown < 0 else "+" if signed and shown > 0 else ""
    return sign + _in_language(f"{abs(shown):,.2f}")


def _in_language(text: str) -> str:
    """A number as Python writes it, with thin spaces and the active language's decimal mark."""
    return text.translate({ord(","): THOUSANDS, ord("."): str(get_format("DECIMAL_SEPARATOR"))})


def grouped(text: str) -> str:
    """HTML of a text whose thousands the stylesheet sets apart: read aloud, a space makes two numbers of one.

    (eSpeak NG 1.51, the voice of free screen readers: "1 152.78" is "one, one hundred fifty-two point seven eight".)
    """
    if THOUSANDS not in text:
        return text
    return format_html_join("", "{}{}", _groups(text))


def _groups(text: str) -> list[tuple[str, str]]:
    first, *rest = text.split(THOUSANDS)
    return [(first, ""), *((format_html("<i>{}</i>", part[:3]), part[3:]) for part in rest)]


def spoken(text: str) -> str:
    """The same for what can have no HTML in it: titles and the words of pictures."""
    return text.replace(THOUSANDS, "")


def round_number(value: Decimal) -> str:
    """A signed number of a scale, without needless decimals."""
    sign = MINUS if value < 0 else "+" if value > 0 else ""
    return sign + _in_language(f"{abs(value).normalize():,f}")


def seconds(value: float, places: int) -> str:
    """A length of time in seconds, without its unit."""
    return _in_language(f"{value:.{places}f}")


def quantity(value: Decimal) -> str:
    """An amount of energy; nothing sold or bought is a dash, so that what was traded stands out."""
    return number(value) if value else UNDEFINED


def count(value: int) -> str:
    """A whole number with thin spaces between thousands."""
    return f"{value:,}".replace(",", THOUSANDS)


def trend(value: Decimal | None) -> Trend:
    """Good above zero, bad below, even when it is shown as 0.00, none while undefined."""
    if value is None:
        return Trend.NONE
    shown = rounded(value)
    return Trend.GOOD if shown > 0 else Trend.BAD if shown < 0 else Trend.EVEN


def plain(value: Decimal | None) -> str | None:
    """The exact value for programs: no exponent, no needless zeros at the end; None stays None."""
    if value is None:
        return None
    text = f"{value:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def currency_sign(code: str) -> str:
    """The sign of a currency where it has a well-known one, else its code."""
    return _SIGNS.get(code, code)


def utc(moment: datetime) -> str:
    """ISO 8601 in UTC with a Z, for programs and `<time datetime>`."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def posix_utc(moment: float) -> str:
    """The same of POSIX seconds."""
    return utc(datetime.fromtimestamp(moment, tz=UTC))


def on_clock(moment: datetime, zone: tzinfo) -> datetime:
    """The moment on a zone's clock; in UTC within hours of the first and the last year that a calendar has.

    An exchange may write any time of execution, and a row with an odd one is shown like all others.
    """
    try:
        return moment.astimezone(zone)
    except OverflowError:
        return moment.astimezone(UTC)


def clock(moment: datetime, zone: ZoneInfo) -> str:
    """Hours and minutes on the market's clock."""
    return f"{on_clock(moment, zone):%H:%M}"


def clock_seconds(moment: datetime, zone: ZoneInfo) -> str:
    """Hours, minutes and seconds on the market's clock."""
    return f"{on_clock(moment, zone):%H:%M:%S}"


def day_title(day: date) -> str:
    """A day as a headline: "Mon 23 Nov 2026"."""
    return format_date(day, pgettext("date format", "D j M Y"))


def short_day(day: date) -> str:
    """A day of this year: "23 Nov"."""
    return format_date(day, pgettext("date format", "j M"))


def period_title(delivery_hour: str) -> str:
    """A period's label with a true dash: "08–09"."""
    return delivery_hour.replace("-", EN_DASH)
