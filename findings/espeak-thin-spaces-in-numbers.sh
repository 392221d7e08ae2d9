#!/usr/bin/env bash
# Guess: a narrow no-break space between thousands (U+202F, the ISO way) is part of the number to a screen reader's voice, in
# every language; a true minus (U+2212) may be left out.
# Seen (eSpeak NG 1.51, the voice of NVDA and Orca, from Debian's package): with U+202F, and with every other special space,
# 1 152.78 is read as two numbers, "one, one hundred and fifty-two point seven eight", in English and in German; with an
# ordinary space German reads one, English two; without anything between, both read one. The true minus is read in both.
set -euo pipefail
speak=$(command -v espeak-ng) || { echo "There is no eSpeak NG: apt-get install espeak-ng" >&2; exit 1; }
"$speak" --version
SPEAK=$speak python3 - <<'PYTHON'
import os
import subprocess
import sys


def phonemes(language: str, text: str) -> str:
    argv = [os.environ["SPEAK"], "-q", "-x", "-v", language, "--", text]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()


THOUSAND = {"en": "T'aUz@nd", "de": "t'aUz@nt"}
seen = {}
for language, text in (("en", "1{}152.78"), ("de", "1{}152,78")):
    for name, between in (("nothing", ""), ("U+202F", "\u202f"), ("U+2009", "\u2009"), ("U+00A0", "\u00a0"), ("a space", " ")):
        seen[language, name] = THOUSAND[language] in phonemes(language, text.format(between))
    seen[language, "minus"] = phonemes(language, "\u22123").startswith(("m'aIn@s", "m'i:nUs"))
print(seen)
expected = {(language, name): name in {"nothing", "minus"} for language, name in seen} | {("de", "a space"): True}
if seen != expected:
    sys.exit("This has changed: dashboard/render/formatting.py says why thousands have no space between them.")
PYTHON
