"""All texts are translatable, and German is complete."""

from __future__ import annotations

from pathlib import Path

import polib
import pytest

from local.checks.translations import OWN_TRANSLATION, ROOT, Text, catalogues, problems, templates, texts, unmarked


@pytest.mark.parametrize("catalogue", catalogues(), ids=lambda path: path.parent.parent.name)
def test_every_text_has_its_translation_with_the_same_placeholders(catalogue: Path) -> None:
    assert problems(polib.pofile(str(catalogue)), texts()) == [], "make messages, then translate"


def test_german_is_there() -> None:
    assert [path.parent.parent.name for path in catalogues()] == ["de"]


def test_every_word_of_a_template_is_marked() -> None:
    found = {
        str(path.relative_to(ROOT)): words
        for path in templates()
        if not OWN_TRANSLATION & set(path.parts) and (words := unmarked(path.read_text()))
    }
    assert found == {}


def test_what_the_checks_find() -> None:
    catalogue = polib.POFile()
    catalogue.append(polib.POEntry(msgid="%(count)s rows", msgstr="%(anzahl)s Zeilen"))
    catalogue.append(polib.POEntry(msgid="in {time}", msgstr=""))
    catalogue.append(polib.POEntry(msgid="gone", msgstr="weg"))
    said = problems(catalogue, {Text("%(count)s rows"), Text("in {time}"), Text("new")})
    assert said == [
        "not in the catalogue: “new”",
        "in no source any more: “gone”",
        "other placeholders than in “%(count)s rows”: “%(anzahl)s Zeilen”",
        "not translated: “in {time}”",
    ]
    assert unmarked('<p title="Price">{% translate "x" %} per MWh {{ y }} net</p>') == ["per MWh", "net", "Price"]
    assert (
        unmarked('<a href="/status/" title="{% translate "x" %}">{% blocktranslate %}y{% endblocktranslate %}</a>')
        == []
    )
