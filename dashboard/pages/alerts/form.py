"""What a rule says, as one sentence: with its figures in the list, with fields in the form."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.http import QueryDict
from django.utils.translation import gettext, gettext_noop

from dashboard.alerts.models import AlertRule
from dashboard.alerts.rules import OF_BOARDS, Kind
from dashboard.alerts.wishes import may_have
from dashboard.render import formatting as fmt
from market.models import Market
from market.queries import currency_now

FIGURES = ("threshold", "minutes")
_FIGURE = re.compile(r"\{(threshold|minutes)\}")

SENTENCES = {
    Kind.OPEN_MWH: gettext_noop(
        "{threshold} MWh or more of a product are open, and its next gate closes within {minutes} minutes."
    ),
    Kind.RESULT_BELOW: gettext_noop("The result of today or tomorrow falls below {threshold} {currency}."),
    Kind.RESULT_SWING: gettext_noop(
        "The result of today or tomorrow changes by {threshold} {currency} or more within {minutes} minutes."
    ),
    Kind.LOSS_LIMIT: gettext_noop(
        "The loss of today or tomorrow reaches {threshold} {currency}; at 80 % of it there is a warning."
    ),
    Kind.ASSUMPTION_BROKE: gettext_noop("An assumption breaks: the reference went too far against it."),
    Kind.FEED_LATE: gettext_noop("No listener is connected to the exchange."),
    Kind.PRICE_LATE: gettext_noop("Reference prices are late, or their provider does not answer."),
    Kind.GAP: gettext_noop("A gap of the exchange's feed is known: trades may be missing."),
    Kind.FRAMES_ASIDE: gettext_noop("The exchange sent something that is no trade and is kept aside."),
}
EXAMPLES = {
    Kind.OPEN_MWH: gettext_noop("5 MWh and 15 minutes: a quarter of an hour before the gate you are 8 MWh short."),
    Kind.RESULT_BELOW: gettext_noop("−500: the result goes from −480 to −510. Above zero works, too."),
    Kind.RESULT_SWING: gettext_noop("300 and 10 minutes: a new price makes −150 of +200."),
    Kind.LOSS_LIMIT: gettext_noop("1000: a warning at a loss of 800, an alert at 1,000. Nothing is blocked."),
    Kind.ASSUMPTION_BROKE: gettext_noop("You expected the price to go up; it went down by 5, or by what you set."),
    Kind.FEED_LATE: gettext_noop("The line is lost: what is traded meanwhile is on no board until it is back."),
    Kind.PRICE_LATE: gettext_noop("A publication is overdue: results stand still."),
    Kind.GAP: gettext_noop("The line is back after a break: compare with the exchange's file."),
    Kind.FRAMES_ASIDE: gettext_noop("A confirmation with a field that can't be read waits for a decision."),
}
PLACEHOLDERS = {
    Kind.OPEN_MWH: ("5", "15"),
    Kind.RESULT_BELOW: ("-500", ""),
    Kind.RESULT_SWING: ("300", "10"),
    Kind.LOSS_LIMIT: ("1000", ""),
}
GROUPS = (
    (gettext_noop("Positions and results"), tuple(kind for kind in Kind if kind in OF_BOARDS)),
    (gettext_noop("Assumptions"), (Kind.ASSUMPTION_BROKE,)),
    (gettext_noop("Feeds"), (Kind.FEED_LATE, Kind.PRICE_LATE, Kind.GAP, Kind.FRAMES_ASIDE)),
)


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a sentence: words, or one of its figures with its name, what it is now, and what it may be."""

    text: str
    field: str = ""
    example: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """A kind of rule that may be chosen."""

    kind: str
    parts: tuple[Part, ...]
    example: str
    of_traders: bool
    chosen: bool


def sentence_parts(kind: Kind, figures: Mapping[str, str], currency: str) -> Iterator[Part]:
    """The rule's sentence, cut at its figures."""
    examples = dict(zip(FIGURES, PLACEHOLDERS.get(kind, ("", "")), strict=True))
    units = {"threshold": "MWh" if kind is Kind.OPEN_MWH else currency, "minutes": gettext("Minutes")}
    for number, piece in enumerate(_FIGURE.split(gettext(SENTENCES[kind]).replace("{currency}", currency))):
        if number % 2:
            yield Part(figures.get(piece, ""), piece, examples[piece], units[piece])
        elif piece:
            yield Part(piece)


def rule_parts(rule: AlertRule, markets: list[Market]) -> tuple[Part, ...]:
    """What an existing rule says."""
    figures = {"threshold": fmt.plain(rule.threshold) or "", "minutes": str(rule.minutes or "")}
    return tuple(sentence_parts(Kind(rule.kind), figures, currency_of([rule.market] if rule.market else markets)))


def currency_of(markets: list[Market]) -> str:
    """The sign of their currency, or words for whichever it is."""
    codes = {currency_now(market) for market in markets}
    return fmt.currency_sign(codes.pop()) if len(codes) == 1 else gettext("(currency of the market)")


def choices(user: User, asked: QueryDict | None, markets: list[Market]) -> list[tuple[str, list[Choice]]]:
    """The kinds of rules that the user may have, in groups; what was asked for stays filled in."""
    chosen = asked.get("kind", "") if asked else Kind.OPEN_MWH.value
    currency = currency_of(markets)

    def choice(kind: Kind) -> Choice:
        figures = {name: asked.get(f"{name}-{kind}", "") for name in FIGURES} if asked else {}
        of_traders = kind in OF_BOARDS or kind is Kind.ASSUMPTION_BROKE
        parts = tuple(sentence_parts(kind, figures, currency))
        return Choice(kind.value, parts, gettext(EXAMPLES[kind]), of_traders, kind == chosen)

    return [(gettext(title), [choice(kind) for kind in kinds if may_have(user, kind)]) for title, kinds in GROUPS]


def words_of(post: QueryDict) -> dict[str, str]:
    """A form's words: of the figures those of the kind that was chosen."""
    words = {str(name): str(value) for name, value in post.dict().items()}
    kind = words.get("kind", "")
    return words | {name: words.get(f"{name}-{kind}", words.get(name, "")) for name in FIGURES}
