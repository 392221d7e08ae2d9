"""What a browser prints of a page, held against what it shows."""

from __future__ import annotations

import io
import re

from playwright.sync_api import Page
from pypdf import PdfReader

FIGURES = "main [data-field][data-value]:visible, main [data-total]:visible"


def not_printed(page: Page, figures: str = FIGURES) -> tuple[int, list[str]]:
    """How many figures are shown, and those that stand nowhere on the sheets."""
    shown = [text for text in page.locator(figures).all_inner_texts() if text]
    printed = _plain(" ".join(sheet.extract_text() for sheet in PdfReader(io.BytesIO(page.pdf())).pages))
    return len(shown), [text for text in shown if _plain(text) not in printed]


def _plain(text: str) -> str:
    """Without spaces: on paper they are gaps."""
    return re.sub(r"\s", "", text)
