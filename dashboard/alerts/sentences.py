"""What an alert says, in the language of whoever reads it."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext, gettext_noop

from dashboard.alerts.rules import Kind, Level

SENTENCES = {
    Kind.OPEN_MWH: gettext_noop(
        "%(trader)s: %(net)s MWh open in %(period)s of %(day)s, the gate (%(phase)s) closes soon."
    ),
    Kind.RESULT_BELOW: gettext_noop(
        "%(trader)s: the result of %(day)s is %(result)s %(currency)s, below %(threshold)s."
    ),
    Kind.RESULT_SWING: gettext_noop(
        "%(trader)s: the result of %(day)s moved by %(swing)s %(currency)s within %(minutes)s minutes."
    ),
    Kind.LOSS_LIMIT: gettext_noop(
        "%(trader)s: the limit of %(threshold)s %(currency)s for losses is reached on %(day)s: %(result)s."
    ),
    Kind.FEED_LATE: gettext_noop("%(market)s: no listener is connected to the exchange."),
    Kind.PRICE_LATE: gettext_noop("%(market)s: reference prices are late."),
    Kind.ASSUMPTION_BROKE: gettext_noop("%(trader)s: assumption %(number)s for %(period)s of %(day)s broke."),
    Kind.GAP: gettext_noop("%(market)s: a gap of the exchange's feed opened, until %(until)s."),
    Kind.FRAMES_ASIDE: gettext_noop("%(market)s: frames of the exchange were kept aside."),
}
_WARNING = gettext_noop(
    "%(trader)s: four fifths of the limit of %(threshold)s %(currency)s for losses on %(day)s: %(result)s."
)


def sentence(kind: str, level: str, facts: Mapping[str, str]) -> str:
    """One sentence. It names the market of a trader's board where the desk had several (`named_market`)."""
    is_warning = kind == Kind.LOSS_LIMIT and level == Level.WARNING
    words = {**facts, "phase": gettext(phase) if (phase := facts.get("phase")) else ""}  # as boards name it
    if "trader" in facts and "named_market" in facts:
        words["trader"] = f"{facts['trader']}, {facts['named_market']}"
    return gettext(_WARNING if is_warning else SENTENCES[Kind(kind)]) % words
