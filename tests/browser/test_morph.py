"""How HTML is brought into the page (static/js/morph.js): what is shown afterwards, and what stays in place."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, Route

pytestmark = pytest.mark.browser

STATIC = Path(__file__).resolve().parents[2] / "static"
ORIGIN = "http://static.test"
PAGE = '<!doctype html><script src="/vendor/idiomorph-0.8.0/idiomorph.min.js"></script>'

CELL = '<p id="a" class="b"><b data-value="1">1</b> <a href="#">x</a></p>'

BRING = """async ([script, before, after]) => {
  const { morph } = await import(script);
  const place = document.createElement("div");
  document.body.append(place);
  place.innerHTML = before;
  const first = [...place.firstElementChild.children];
  morph(place.firstElementChild, after);
  const stayed = first.filter((one) => one.isConnected).length;
  const html = place.innerHTML;
  place.remove();
  return [html, stayed];
}"""

CHANGES = {
    "nothing": (CELL, 2),
    "text and attribute": (CELL.replace(">1<", ">2<").replace('"1"', '"2"'), 2),
    "an attribute goes": (CELL.replace(' data-value="1"', ""), 2),
    "an attribute comes": (CELL.replace('href="#"', 'href="#" title="y"'), 2),
    "an element comes": (CELL.replace("<b", "<i>n</i><b"), 2),
    "an element goes": (CELL.replace(' <a href="#">x</a>', ""), 1),
    "another element": (CELL.replace("<b ", "<u ").replace("</b>", "</u>"), 1),
}
"""The new HTML, and how many of the paragraph's two elements are still the same ones afterwards."""


def from_the_folder(route: Route) -> None:
    path = route.request.url.removeprefix(ORIGIN).lstrip("/")
    if path:
        route.fulfill(path=STATIC / path, content_type="text/javascript")
    else:
        route.fulfill(body=PAGE, content_type="text/html")


def test_what_is_shown_afterwards_and_what_stays_in_place(page: Page) -> None:
    page.route(f"{ORIGIN}/**", from_the_folder)
    page.goto(f"{ORIGIN}/")

    def bring(before: str, after: str) -> tuple[str, int]:
        html, stayed = page.evaluate(BRING, ["/js/morph.js", before, after])
        return html, stayed

    assert {name: bring(CELL, after) for name, (after, _) in CHANGES.items()} == CHANGES

    before = '<p class="flash" data-unfolded=""><b aria-expanded="true">1</b><i data-own="">mine</i></p>'
    after = '<p><b aria-expanded="false">2</b><i data-own="">--</i></p>'
    assert bring(before, after) == (before.replace(">1<", ">2<"), 2), "classes, folds and own elements are the page's"

    before = '<div><p id="opened" data-own="">panel</p><p id="b">2</p></div>'
    after = '<div><p id="a">1</p><p id="b">2</p></div>'
    assert '<p id="a">1</p><p id="b">2</p>' in bring(before, after)[0], "no element becomes one with another id"

    row, fold = '<tr class="period"><td>1</td><td>2</td></tr>', '<tr class="fold"><td colspan="2">3 more</td></tr>'
    alone, folded = f"<table><tbody>{row}</tbody></table>", f"<table><tbody>{fold}{row}</tbody></table>"
    assert [bring(alone, folded)[0], bring(folded, alone)[0]] == [folded, alone], "a fold is no period, nor the reverse"
