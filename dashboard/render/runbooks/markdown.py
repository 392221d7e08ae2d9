"""The part of Markdown that the runbooks are written in, as HTML: pure, and every text of it escaped.

Headings, paragraphs, numbered and plain lists, tables, fenced code; `code`, **bold**, *emphasis* and links. Anything
else stays the text that it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html import escape

Addresses = Callable[[str], str | None]
"""A link's target as it is written, as an address; None where it leads nowhere here: its text is shown alone."""

_FENCE = "```"
_HEADING = re.compile(r"(#{1,4}) +(.+)")
_ITEM = re.compile(r"(?:(\d+)\.|[-*]) +")
_INLINE = re.compile(
    r"`(?P<code>[^`]+)`"
    r"|\[(?P<label>[^\]]+)\]\((?P<target>[^)\s]+)\)"
    r"|\*\*(?P<strong>\S(?:.*?\S)?)\*\*"
    r"|\*(?P<em>[^\s*](?:[^*]*[^\s*])?)\*",
    re.DOTALL,
)


def html_of(text: str, address_of: Addresses) -> str:
    """The text as HTML; its headings begin at h3, below the page's own."""
    return "\n".join(_blocks(text.splitlines(), address_of))


def _blocks(lines: list[str], address_of: Addresses) -> Iterator[str]:
    at = 0
    while at < len(lines):
        line = lines[at]
        if not line.strip():
            at += 1
        elif line.startswith(_FENCE):
            end = _until(lines, at + 1, lambda one: one.startswith(_FENCE))
            yield f"<pre><code>{escape(chr(10).join(lines[at + 1 : end]))}</code></pre>"
            at = end + 1
        elif heading := _HEADING.fullmatch(line):
            level = 2 + len(heading[1])
            yield f"<h{level}>{_inline(heading[2], address_of)}</h{level}>"
            at += 1
        elif line.startswith("|"):
            end = _until(lines, at, lambda one: not one.startswith("|"))
            yield _table(lines[at:end], address_of)
            at = end
        elif item := _ITEM.match(line):
            end = _until(lines, at, lambda one: bool(one.strip()) and not one.startswith("  ") and not _ITEM.match(one))
            yield _list(lines[at:end], item[1], address_of)
            at = end
        else:
            end = _until(lines, at, lambda one: not one.strip() or one.startswith((_FENCE, "|")))
            yield f"<p>{_inline(chr(10).join(lines[at:end]), address_of)}</p>"
            at = end


def _until(lines: list[str], at: int, ends: Callable[[str], bool]) -> int:
    """Where the first line from `at` on stands that ends a block; behind the last line where none does."""
    return next((number for number in range(at, len(lines)) if ends(lines[number])), len(lines))


def _list(lines: list[str], first: str | None, address_of: Addresses) -> str:
    """`first`: the first item's number; None for a list without numbers."""
    items: list[list[str]] = []
    indent = 0
    for line in lines:
        if item := _ITEM.match(line):
            indent = item.end()
            items.append([line[indent:]])
        else:
            items[-1].append(line[indent:] if not line[:indent].strip() else line.lstrip())
    html = "\n".join(f"<li>{chr(10).join(_blocks(item, address_of))}</li>" for item in items)
    if first is None:
        return f"<ul>\n{html}\n</ul>"
    start = "" if first == "1" else f' start="{first}"'
    return f"<ol{start}>\n{html}\n</ol>"


def _table(lines: list[str], address_of: Addresses) -> str:
    """The first line is the head, the second its rule."""
    head, *rows = ([cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines)
    heads = "".join(f'<th scope="col">{_inline(cell, address_of)}</th>' for cell in head)
    body = "\n".join(
        f"<tr>{''.join(f'<td>{_inline(cell, address_of)}</td>' for cell in cells)}</tr>" for cells in rows[1:]
    )
    return f'<table class="sheet">\n<thead><tr>{heads}</tr></thead>\n<tbody>{body}</tbody>\n</table>'


def _inline(text: str, address_of: Addresses) -> str:
    html, at = [], 0
    for found in _INLINE.finditer(text):
        html += [escape(text[at : found.start()]), _marked(found, address_of)]
        at = found.end()
    return "".join([*html, escape(text[at:])])


def _marked(found: re.Match[str], address_of: Addresses) -> str:
    if found["code"]:
        return f"<code>{escape(found['code'])}</code>"
    if found["label"]:
        label, address = _inline(found["label"], address_of), address_of(found["target"])
        return label if address is None else f'<a href="{escape(address)}">{label}</a>'
    name = "strong" if found["strong"] else "em"
    return f"<{name}>{_inline(found[name], address_of)}</{name}>"
