"""Runbooks as HTML: what they are written in is shown, nothing of it stays Markdown, and every text is escaped."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest

from dashboard.render.runbooks.markdown import html_of

RUNBOOKS = sorted((Path(__file__).resolve().parents[4] / "docs" / "runbooks").glob("*.md"))


def html(text: str) -> str:
    return html_of(text, lambda target: f"/{target}?a&b" if target.endswith(".md") else None)


def test_paragraphs_headings_and_what_stands_in_a_line() -> None:
    assert html("# One\n\nTwo **bold *and* `code`**, `**code**`\nlines, 2 * 3 * 4.\n\nThree") == (
        "<h3>One</h3>\n"
        "<p>Two <strong>bold <em>and</em> <code>code</code></strong>, <code>**code**</code>\nlines, 2 * 3 * 4.</p>\n"
        "<p>Three</p>\n"
    )


def test_links_lead_where_they_may_and_are_text_elsewhere() -> None:
    assert html("See [the `gap`](gap.md), [it](https://elsewhere.example/), [that](gap.md).") == (
        '<p>See <a href="/gap.md?a&amp;b">the <code>gap</code></a>, it, <a href="/gap.md?a&amp;b">that</a>.</p>\n'
    )
    assert "href" not in html("[it](javascript:alert), ![a picture](gap.png)")


def test_lists_have_paragraphs_and_code_in_their_items() -> None:
    text = "3. One\n   more:\n\n   ```\n   a | b\n     <c>\n   ```\n   after\n4. Two\n\n- x\n- y"
    assert html(text) == (
        '<ol start="3">\n'
        "<li>\n<p>One\nmore:</p>\n<pre><code>a | b\n  &lt;c&gt;\n</code></pre>\n<p>after</p>\n</li>\n"
        "<li>\n<p>Two</p>\n</li>\n</ol>\n"
        "<ul>\n<li>x</li>\n<li>y</li>\n</ul>\n"
    )


def test_tables_have_heads_and_rows() -> None:
    shown = html("| a | b |\n|---|---|\n| `1` | 2 |\n\nafter")
    assert '<table class="sheet">' in shown
    assert '<th scope="col">a</th>' in shown
    assert "<td><code>1</code></td>" in shown


@pytest.mark.parametrize("hostile", ['<script>"x"</script>', "<img src=x onerror='y'>"])
def test_every_text_is_escaped(hostile: str) -> None:
    places = "{0}\n\n# {0}\n\n**{0}** *{0}* `{0}` [{0}](gap.md)\n\n1. {0}\n\n| {0} |\n|---|\n| {0} |\n\n```\n{0}\n```"
    shown = html(places.format(hostile))
    assert "<script" not in shown
    assert "<img" not in shown
    assert unescape(re.sub(r"<[^>]+>", "", shown)).count(hostile) == 10
    assert "<script" not in html('[a]("><script>.md)')


@pytest.mark.parametrize("path", RUNBOOKS, ids=lambda path: path.stem)
def test_nothing_of_a_runbook_stays_markdown(path: Path) -> None:
    text = path.read_text()
    shown = html(text)
    outside = re.sub(r"<(pre|code)\b[^>]*>.*?</\1>", "", shown, flags=re.DOTALL)
    for mark in ("**", "`", "](", "|--", "# "):
        assert mark not in outside
    assert not re.search(r"^(\d+\.|-|\*|\|) ?", re.sub(r"<[^>]+>", "", outside), flags=re.MULTILINE)
    assert len(re.findall("<pre>", shown)) == text.count("```") // 2
    assert len(re.findall("<li>", shown)) == len(re.findall(r"^\d+\. ", text, flags=re.MULTILINE))
    words = re.sub(r"[\W_]+", " ", re.sub(r"\]\([^)]*\)|^\d+\.|```", " ", text, flags=re.MULTILINE)).split()
    assert re.sub(r"[\W_]+", " ", unescape(re.sub(r"<[^>]+>", " ", shown))).split() == words
