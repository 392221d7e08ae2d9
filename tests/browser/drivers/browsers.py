"""The browsers that the pages are tried in: the system's Chromium, and Firefox over WebDriver BiDi."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, BrowserContext, Playwright

from local.checks.programs import CHROMIUM, FIREFOX

ROOT = Path(__file__).resolve().parents[3]
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # A page that a test answers itself is none of this machine's to Chromium, and may not ask its servers.
    "--disable-features=LocalNetworkAccessChecks,LocalNetworkAccessChecksWebSockets",
]
_THEMES = {"dark": 0, "light": 1}


@contextmanager
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """Chromium; a context chooses its theme."""
    browser = playwright.chromium.launch(executable_path=CHROMIUM.need(), args=CHROMIUM_FLAGS)
    try:
        yield browser
    finally:
        browser.close()


@contextmanager
def firefox(playwright: Playwright, theme: str = "dark") -> Iterator[Browser]:
    """Firefox, whose theme is the whole browser's: an ESR lets no context choose (firefox_relay.py)."""
    with TemporaryDirectory() as folder:
        program = Path(folder) / "firefox"
        python = shlex.join([sys.executable, "-m", "tests.browser.drivers.firefox_relay"])
        program.write_text(f'#!/bin/sh\ncd {shlex.quote(str(ROOT))} && exec {python} "$@"\n')
        program.chmod(0o700)
        browser = playwright.firefox.launch(
            channel="moz-firefox",
            executable_path=program,
            env={**os.environ, "FIREFOX": FIREFOX.need()},
            firefox_user_prefs={
                "layout.css.prefers-color-scheme.content-override": _THEMES[theme],
                "ui.useOverlayScrollbars": 1,  # so that a page is as wide as its window, as in Chromium
            },
        )
        try:
            yield browser
        finally:
            browser.close()


def new_context(browser: Browser, *, width: int = 1920, height: int = 1080, **options: object) -> BrowserContext:
    """A fresh profile in a window of that size."""
    return browser.new_context(viewport={"width": width, "height": height}, **options)  # type: ignore[arg-type]
