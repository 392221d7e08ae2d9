"""What an assumption claims and how it stands, in words of the active language."""

from __future__ import annotations

from decimal import Decimal

from django.utils.translation import gettext, pgettext

from dashboard.assumptions.queries import PeriodStanding
from dashboard.assumptions.rules import SIDES, Claim, Theory, Verdict
from dashboard.render import formatting as fmt

ARROWS = {Claim.UP: "▲", Claim.DOWN: "▼", Claim.WITHIN: "↔", Claim.ABOVE: "⤒", Claim.BELOW: "⤓"}
_TRENDS = {Verdict.RIGHT: fmt.Trend.GOOD, Verdict.WRONG: fmt.Trend.BAD, Verdict.FLAT: fmt.Trend.EVEN}


def claim_name(claim: Claim) -> str:
    """One word."""
    return {
        Claim.UP: pgettext("claim", "up"),
        Claim.DOWN: pgettext("claim", "down"),
        Claim.WITHIN: pgettext("claim", "within"),
        Claim.ABOVE: pgettext("claim", "above"),
        Claim.BELOW: pgettext("claim", "below"),
    }[claim]


def claim_words(theory: Theory) -> str:
    """The claim with its figure: “up by at least 2.00”."""
    name, figure = claim_name(theory.claim), fmt.number(theory.figure)
    if theory.claim is Claim.WITHIN:
        return f"{name} ±{figure}"
    if theory.claim in {Claim.ABOVE, Claim.BELOW}:
        return f"{name} {figure}"
    return (
        name
        if theory.threshold is None
        else gettext("%(claim)s by at least %(move)s") % {"claim": name, "move": figure}
    )


def verdict_name(verdict: Verdict) -> str:
    """One word."""
    return {
        Verdict.WAITING: gettext("waiting for a price"),
        Verdict.OPEN: pgettext("assumption", "open"),
        Verdict.RIGHT: pgettext("verdict", "right"),
        Verdict.WRONG: pgettext("verdict", "wrong"),
        Verdict.FLAT: pgettext("verdict", "flat"),
        Verdict.VOID: pgettext("verdict", "void"),
    }[verdict]


def standing_words(period: PeriodStanding, *, own: bool) -> str:
    """How it stands: “+1.80 in your favour”, “stands still”, “1.80 against you”, or its verdict: “right, moved −2.01”.

    While it is open the sign is that of the favour, afterwards that of the reference's move: the words tell them apart.
    """
    record, favour = period.record, period.in_favour
    if record is not None and record.move is not None:
        words = {"verdict": verdict_name(period.verdict), "move": fmt.number(record.move, signed=True)}
        return gettext("%(verdict)s, moved %(move)s") % words
    if record is not None:
        return verdict_name(period.verdict)
    return verdict_name(Verdict.WAITING) if favour is None else favour_words(period.theory.claim, favour, own=own)


def favour_words(claim: Claim, favour: Decimal, *, own: bool) -> str:
    """How far it is on the claim's side, or on the other; what would be 0.00 is on neither."""
    if fmt.trend(favour) is fmt.Trend.EVEN:
        return gettext("stands still") if claim in SIDES else gettext("at its bound")
    if fmt.trend(favour) is fmt.Trend.BAD:
        text = gettext("%(amount)s against you") if own else gettext("%(amount)s against it")
        return text % {"amount": fmt.number(-favour)}
    text = gettext("%(amount)s in your favour") if own else gettext("%(amount)s in its favour")
    return text % {"amount": fmt.number(favour, signed=True)}


def trend_of(period: PeriodStanding) -> fmt.Trend:
    """The colour of how it stands."""
    if period.record is not None:
        return _TRENDS.get(period.verdict, fmt.Trend.NONE)
    return fmt.trend(period.in_favour)
