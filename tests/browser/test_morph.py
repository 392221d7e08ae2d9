"""How HTML is brought into the page (static/js/morph.js): what is shown afterwards, and what stays in place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route

pytestmark = pytest.mark.browser

STATIC = Path(__file__).resolve().parents[2] / "static"
ORIGIN = "http://static.test"
PAGE = '<!doctype html><script src="/vendor/idiomorph-0.8.0/idiomorph.min.js"></script>'
Bring = Callable[[str, str], tuple[str, int]]

CELL = '<p id="a" class="b"><b data-value="1">1</b> <a href="#">x</a></p>'

BRING = """async ([script, before, after]) => {
  const { morph } = await import(script);
  const place = document.createElement("div");
  document.body.append(place);
  place.innerHTML = before;
  const first = [...place.firstElementChild.children];
  morph(place.firstElementChild, after);
  const stayed = first.filter((one) => one.isConnected).length;
  return [place.innerHTML, stayed];
}"""


def from_the_folder(route: Route) -> None:
    path = route.request.url.removeprefix(ORIGIN).lstrip("/")
    if path:
        route.fulfill(path=STATIC / path, content_type="text/javascript")
    else:
        route.fulfill(body=PAGE, content_type="text/html")


@pytest.fixture
def bring(page: Page) -> Bring:
    """(before, after) -> what is there then, and how many of the first element's children are still the same ones."""
    page.route(f"{ORIGIN}/**", from_the_folder)
    page.goto(f"{ORIGIN}/")
    return lambda before, after: tuple(page.evaluate(BRING, ["/js/morph.js", before, after]))


@pytest.mark.parametrize(
    ("after", "stayed"),
    [
        pytest.param(CELL, 2, id="nothing"),
        pytest.param(CELL.replace(">1<", ">2<").replace('"1"', '"2"'), 2, id="text-and-attribute"),
        pytest.param(CELL.replace(' data-value="1"', ""), 2, id="attribute-gone"),
        pytest.param(CELL.replace('href="#"', 'href="#" title="y"'), 2, id="attribute-new"),
        pytest.param(CELL.replace("<b", "<i>n</i><b"), 2, id="element-new"),
        pytest.param(CELL.replace(' <a href="#">x</a>', ""), 1, id="element-gone"),
        pytest.param(CELL.replace("<b ", "<u ").replace("</b>", "</u>"), 1, id="another-element"),
    ],
)
def test_afterwards_it_is_the_new_html(bring: Bring, after: str, stayed: int) -> None:
    assert bring(CELL, after) == (after, stayed)


def test_classes_folds_and_own_elements_stay(bring: Bring) -> None:
    before = '<p class="flash" data-unfolded=""><b aria-expanded="true">1</b><i data-own="">mine</i></p>'
    after = '<p><b aria-expanded="false">2</b><i data-own="">--</i></p>'
    assert bring(before, after) == (before.replace(">1<", ">2<"), 2)


def test_an_element_is_never_turned_into_one_with_another_id(bring: Bring) -> None:
    before = '<div><p id="opened" data-own="">panel</p><p id="b">2</p></div>'
    after = '<div><p id="a">1</p><p id="b">2</p></div>'
    html, _ = bring(before, after)
    assert '<p id="a">1</p><p id="b">2</p>' in html
