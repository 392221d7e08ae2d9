"""The templates of what is rendered anew with every change: escaping, languages, and no name that isn't there."""

from __future__ import annotations

import pytest
from django.template import engines
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import override
from jinja2 import UndefinedError

from dashboard.render.jinja import ENGINE, render_part


def rendered(source: str, **values: object) -> str:
    return engines[ENGINE].from_string(source).render(values)


def test_values_are_escaped_and_our_own_texts_are_not() -> None:
    assert rendered("{{ name }}", name="<b>&'\"") == "&lt;b&gt;&amp;&#39;&#34;"
    assert (
        rendered("{{ _(\"the price provider's answers can't be used\") }}")
        == "the price provider's answers can't be used"
    )


def test_texts_are_in_the_active_language() -> None:
    with override("de"):
        german = rendered('{{ _("Day") }}')
    with override("en"):
        assert (german, rendered('{{ _("Day") }}')) == ("Tag", "Day")


def test_a_name_that_the_context_does_not_have_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        rendered("{{ no_such_name }}")
    with pytest.raises(UndefinedError):
        render_part("total", {})


def test_a_part_stands_in_a_page_as_it_is() -> None:
    part = render_part("desk_heads", {"traders": []})
    assert isinstance(part, SafeString)
    assert part.startswith('<thead id="heads">')
    assert part in engines["django"].from_string("{{ part }}").render({"part": part})
    assert render_to_string("parts/desk_heads.html", {"traders": []}, using=ENGINE) == part
