"""Skill or luck, in words a trader understands."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext

from dashboard.figures.earnings.skill import FEWEST_DAYS, Day, Skill, Verdict, skill_of
from dashboard.figures.history import History
from dashboard.render import formatting as fmt


def history_skill(loaded: History) -> dict[str, str]:
    """Of a history's days; nothing where no day has a result."""
    figures = [part.figures for _, part in loaded.days]
    known = [(day.performance_eur, day.priced_mwh) for day in figures if day.performance_eur is not None]
    return skill_words(known, loaded.currency)


def skill_words(days: Sequence[Day], currency: str) -> dict[str, str]:
    """The verdict, a sentence of figures, and what both rest on."""
    skill = skill_of(days)
    if skill.mean is None:
        return {}
    return {
        "verdict": skill.verdict.value,
        "title": _title(skill.verdict),
        "sentence": _sentence(skill, f"{fmt.currency_sign(currency)}/MWh"),
        "method": _method(skill),
    }


def _title(verdict: Verdict) -> str:
    return {
        Verdict.FEW: gettext("too few days to tell"),
        Verdict.LUCK: gettext("not yet told from luck"),
        Verdict.BETTER: gettext("better than luck alone explains"),
        Verdict.WORSE: gettext("worse than bad luck alone explains"),
    }[verdict]


def _sentence(skill: Skill, unit: str) -> str:
    values = {
        "mean": fmt.number(skill.mean, signed=True),
        "low": fmt.number(skill.low, signed=True),
        "high": fmt.number(skill.high, signed=True),
        "unit": unit,
        "days": fmt.count(skill.days),
        "fewest": str(FEWEST_DAYS),
    }
    if skill.verdict is Verdict.FEW:
        words = gettext("On average %(mean)s %(unit)s. %(days)s of the %(fewest)s days that it takes have a result.")
        return words % values
    words = gettext(
        "On average %(mean)s %(unit)s over %(days)s days; what is behind the luck lies between %(low)s and %(high)s."
    )
    return words % values


def _method(skill: Skill) -> str:
    if skill.verdict is Verdict.FEW:
        return ""
    method = gettext(
        "Each day could as easily have come out as far above the own mean as below it. All ways to turn days around "
        "were counted; in 95 of 100 cases the bounds hold the own mean."
    )
    runs = gettext("Up to %(count)s days in a row are taken as one, so that all ways can be counted.")
    return f"{method} {runs % {'count': skill.run}}" if skill.run > 1 else method
