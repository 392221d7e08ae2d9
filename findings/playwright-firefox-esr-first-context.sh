#!/usr/bin/env bash
# Guess: Playwright's channel "moz-firefox" drives the Firefox ESR that Debian ships, as WebDriver BiDi is a standard.
# Seen (Playwright 1.65.2, Firefox ESR 153.8.0): the browser starts, and no page can be opened: every new context begins
# with emulation.setMediaFeaturesOverride, which this ESR does not know, whatever color_scheme is asked for ("null" too).
# With a relay between the two that answers that one command, pages, clicks, console, PDF and pictures work.
# Needs firefox-esr from Debian's packages.
set -euo pipefail
firefox=$(command -v firefox-esr || command -v firefox) || { echo "There is no Firefox: apt-get install firefox-esr" >&2; exit 1; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check playwright==1.65.2
FIREFOX=$firefox "$folder/venv/bin/python" - <<'PYTHON'
import os
import sys

from playwright.sync_api import Error, sync_playwright

said = []
with sync_playwright() as playwright:
    browser = playwright.firefox.launch(channel="moz-firefox", executable_path=os.environ["FIREFOX"])
    for scheme in ("dark", "null"):
        try:
            browser.new_context(color_scheme=scheme)
            said.append("opened")
        except Error as error:
            said.append(error.message.splitlines()[0])
    print(browser.version, said)
    browser.close()
if not all("setMediaFeaturesOverride" in words and "unknown command" in words for words in said):
    sys.exit(f"This has changed: {said}. tests/browser/drivers/firefox_relay.py may be of no use any more.")
PYTHON
