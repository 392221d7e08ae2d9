"""A runbook's Markdown as HTML. Every text of it is escaped: HTML in it is shown, never run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it.token import Token

Addresses = Callable[[str], str | None]
"""A link's target as it is written, as an address; None where it leads nowhere here: its text is shown alone."""

_BELOW_THE_PAGES = 2
"""The page has an h1 and an h2 of its own."""


def html_of(text: str, address_of: Addresses) -> str:
    """CommonMark with tables; headings begin at h3."""
    from markdown_it import MarkdownIt  # few read a runbook, and every web process would begin with it

    markdown = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
    tokens = markdown.parse(text)
    for token in tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(int(token.tag[1:]) + _BELOW_THE_PAGES, 6)}"
        elif token.type == "table_open":
            token.attrSet("class", "sheet")
        elif token.type == "th_open":
            token.attrSet("scope", "col")
        elif token.children:
            token.children = list(_linked(token.children, address_of))
    return str(markdown.renderer.render(tokens, markdown.options, {}))


def _linked(children: Iterable[Token], address_of: Addresses) -> Iterator[Token]:
    """Links to where they lead here; the texts alone of those that lead nowhere. No link is within another."""
    address: str | None = None
    for token in children:
        if token.type == "link_open":
            address = address_of(str(token.attrGet("href")))
            if address is not None:
                token.attrSet("href", address)
        if token.type not in {"link_open", "link_close"} or address is not None:
            yield token
