"""The texts to translate: found in templates and Python, merged into locale/*/LC_MESSAGES/django.po, and judged.

`python -m local.checks.translations` (make messages) brings the catalogues up to date, compiles them and says what has
no translation yet. Entries are sorted by text and name no lines, so that two people's additions rarely meet.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polib
from django.template.base import Lexer, TokenType
from django.utils.translation.template import templatize

from local.checks.catalogues import LOCALE, compile_catalogues

ROOT = LOCALE.parent
PACKAGES = ("reporting", "dashboard", "accounts", "trades", "prices", "market")
PLAIN, PLURAL, CONTEXT, BOTH = ("text",), ("text", "plural"), ("context", "text"), ("context", "text", "plural")
KEYWORDS = {
    "_": PLAIN,
    "gettext": PLAIN,
    "gettext_lazy": PLAIN,
    "gettext_noop": PLAIN,
    "ngettext": PLURAL,
    "ngettext_lazy": PLURAL,
    "pgettext": CONTEXT,
    "pgettext_lazy": CONTEXT,
    "npgettext": BOTH,
    "npgettext_lazy": BOTH,
    "PeriodError": PLAIN,
    "MarketError": PLAIN,
    "RangeError": PLAIN,
    "AssumptionError": PLAIN,
    "TooLateError": PLAIN,
}
"""Functions (and the errors that pages say) to what their first arguments are."""

_PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|(?<!%)\{\w+\}")
_TAG = re.compile(r"<code>.*?</code>|<!--.*?-->|<[^>]*>", re.DOTALL)
_SPOKEN = re.compile(r"""\b(?:aria-label|title|alt|placeholder)=(?:"([^"{]*)"|'([^'{]*)')""")
_WORD = re.compile(r"[A-Za-z]{2,}")
_SAME_EVERYWHERE = {"MWh", "MW", "UTC", "EUR", "English", "Deutsch", "CSV", "XLSX"}
OWN_TRANSLATION = {"admin"}
"""Template folders in Django's own admin, which speaks English to those who look after the desk."""


@dataclass(frozen=True, slots=True, order=True)
class Text:
    """One text in the source language; `plural` is empty for those without."""

    text: str
    plural: str = ""
    context: str = ""


# --- what there is ------------------------------------------------------------------------------------------------
def texts() -> set[Text]:
    """Every text of the product that is marked for translation."""
    collected: set[Text] = set()
    for path in templates():
        collected |= set(_texts_in(_as_python(path.read_text())))
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            if "migrations" not in path.parts:
                collected |= set(_texts_in(path.read_text()))
    return collected


def templates() -> list[Path]:
    """All templates, by path."""
    return sorted((ROOT / "templates").rglob("*.html"))


def _as_python(template: str) -> str:
    """A template's marked texts as calls, one a line: only the lines that Django's own extraction puts calls in."""
    lines = (line.strip() for line in templatize(template).splitlines())
    return "\n".join(part for line in lines for part in re.findall(r"\b(?:n?p?gettext|_)\(.*?\)(?= |$)", line))


def _texts_in(source: str) -> Iterator[Text]:
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or node.func.id not in KEYWORDS:
            continue
        if any(isinstance(arg, ast.JoinedStr) for arg in node.args):
            raise ValueError(f"a text to translate can't be an f-string: {ast.unparse(node)}")
        given = [arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
        names = KEYWORDS[node.func.id]
        if len(given) >= len(names):
            yield Text(**dict(zip(names, given, strict=False)))


def unmarked(template: str) -> list[str]:
    """Words in a template that stand outside of translation tags."""
    plain, inside = [], False
    for token in Lexer(template).tokenize():
        name = token.contents.split()[0] if token.token_type == TokenType.BLOCK else ""
        if name in {"blocktranslate", "endblocktranslate", "comment", "endcomment"}:
            inside = not name.startswith("end")
        plain.append(token.contents if token.token_type == TokenType.TEXT and not inside else "{}")
    markup = "".join(plain)
    spoken = [*_TAG.sub(" ", markup).split("{}"), *(a or b for a, b in _SPOKEN.findall(markup))]
    words = (re.sub(r"&\w+;", " ", text) for text in spoken)
    return [text.strip() for text in words if set(_WORD.findall(text)) - _SAME_EVERYWHERE]


# --- the catalogues -----------------------------------------------------------------------------------------------
def catalogues() -> list[Path]:
    """One file a language."""
    return sorted(LOCALE.glob("*/LC_MESSAGES/django.po"))


def problems(catalogue: polib.POFile, wanted: set[Text]) -> list[str]:
    """What is missing, left over, or differs in its placeholders; one line each."""
    entries = {Text(e.msgid, e.msgid_plural, e.msgctxt or ""): e for e in catalogue}
    lines = [f"not in the catalogue: “{text.text}”" for text in sorted(wanted - set(entries))]
    lines += [f"in no source any more: “{text.text}”" for text in sorted(set(entries) - wanted)]
    for text in sorted(wanted & set(entries)):
        lines += _entry_problems(text, entries[text])
    return lines


def _entry_problems(text: Text, entry: polib.POEntry) -> Iterator[str]:
    translations = list(entry.msgstr_plural.values()) if text.plural else [entry.msgstr]
    if len(translations) < (2 if text.plural else 1) or not all(translations) or "fuzzy" in entry.flags:
        yield f"not translated: “{text.text}”"
        return
    placeholders = set(_PLACEHOLDER.findall(text.plural or text.text))
    for translation in translations:
        if set(_PLACEHOLDER.findall(translation)) != placeholders:
            yield f"other placeholders than in “{text.text}”: “{translation}”"


def merge(path: Path, wanted: set[Text]) -> polib.POFile:
    """Bring a catalogue up to date: new texts without a translation, old ones gone; sorted."""
    old = polib.pofile(str(path), wrapwidth=110)
    known = {Text(e.msgid, e.msgid_plural, e.msgctxt or ""): e for e in old}
    merged = polib.POFile(wrapwidth=110)
    merged.metadata = old.metadata
    merged.extend(known.get(text) or _new(text) for text in sorted(wanted))
    merged.save(str(path))
    return merged


def _new(text: Text) -> polib.POEntry:
    plural = {"msgid_plural": text.plural, "msgstr_plural": {0: "", 1: ""}} if text.plural else {}
    return polib.POEntry(msgid=text.text, msgctxt=text.context or None, **plural)


def main() -> int:
    wanted, bad = texts(), 0
    for path in catalogues():
        for line in problems(merge(path, wanted), wanted):
            print(f"{path.relative_to(ROOT)}: {line}")
            bad = 1
    compile_catalogues()
    return bad


if __name__ == "__main__":
    sys.exit(main())
