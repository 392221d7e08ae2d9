#!/usr/bin/env bash
# Guess: a row group of a table none of whose rows is shown takes no room and changes nothing else: the lines of the rows
# below it (border-collapse: collapse) are drawn in every browser.
# Seen (Firefox ESR 153.8.0 beside Debian's Chromium): below a group that is hidden after one that is shown Firefox draws no
# collapsed border at all, neither between rows nor around the table. With separated borders on the cells both browsers
# draw the same lines.
# Needs firefox-esr and chromium-headless-shell from Debian's packages.
set -euo pipefail
firefox=$(command -v firefox-esr || command -v firefox) || { echo "There is no Firefox: apt-get install firefox-esr" >&2; exit 1; }
chromium=$(command -v chromium-headless-shell || command -v chromium) || { echo "There is no Chromium." >&2; exit 1; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check playwright==1.65.2 pillow==13.0.0
cat > "$folder/page.html" <<'HTML'
<!doctype html><meta charset="utf-8"><title>rows</title>
<style>
body { margin: 0; background: white }
table { width: 300px }
table.collapsed { border-collapse: collapse; border: 1px solid red }
table.collapsed tr { border-bottom: 1px solid red }
table.separate { border-spacing: 0; border: 1px solid red }
table.separate td { border-bottom: 1px solid red }
td { height: 30px; padding: 0 }
.folded { display: none }
</style>
<script>
const rows = '<thead><tr><td>period</thead><tbody><tr class="folded"><td>00-01<tbody><tr><td>01-02<tr><td>02-03<tr><td>03-04';
document.write(`<table class="${location.hash.slice(1)}">${rows}</table>`);
</script>
HTML
FIREFOX=$firefox CHROMIUM=$chromium PAGE="$folder/page.html" "$folder/venv/bin/python" - <<'PYTHON'
import io
import os
import subprocess
import sys

from PIL import Image
from playwright.sync_api import sync_playwright


def lines(picture: bytes) -> list[int]:
    """At which heights something red is drawn, in the middle of the table."""
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    reds = [y for y in range(image.height) if (p := image.getpixel((150, y)))[0] > 200 and p[1] < 90]
    return [y for y in reds if y - 1 not in reds]


def by_command(program: str, borders: str, *arguments: str) -> list[int]:
    """A picture as the browser's own command line takes it, without WebDriver."""
    target = os.path.join(os.path.dirname(os.environ["PAGE"]), "picture.png")
    subprocess.run(
        [program, *arguments, f"--screenshot={target}", "--window-size=400,300", f"file://{os.environ['PAGE']}#{borders}"],
        check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )
    with open(target, "rb") as picture:
        return lines(picture.read())


profile = os.path.join(os.path.dirname(os.environ["PAGE"]), "profile")
os.mkdir(profile)
seen = {}
with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path=os.environ["CHROMIUM"], args=["--no-sandbox"])
    page = browser.new_page(viewport={"width": 400, "height": 300})
    for borders in ("collapsed", "separate"):
        page.goto(f"file://{os.environ['PAGE']}#{borders}")
        page.reload()
        seen["Chromium", borders] = len(lines(page.screenshot()))
    browser.close()
for borders in ("collapsed", "separate"):
    seen["Firefox", borders] = len(by_command(os.environ["FIREFOX"], borders, "--headless", "--profile", profile))
version = subprocess.run([os.environ["FIREFOX"], "--version"], capture_output=True, text=True).stdout.strip()
print(version, seen)
expected = {
    ("Chromium", "collapsed"): 5, ("Chromium", "separate"): 5, ("Firefox", "collapsed"): 1, ("Firefox", "separate"): 5,
}
if seen != expected:
    sys.exit(f"This has changed: {seen} instead of {expected}.")
PYTHON
