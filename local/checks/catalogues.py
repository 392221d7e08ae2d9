"""`python -m local.checks.catalogues` compiles each locale/*/LC_MESSAGES/*.po to the .mo beside it, without gettext."""

from __future__ import annotations

from pathlib import Path

import polib

LOCALE = Path(__file__).resolve().parents[2] / "locale"


def compile_catalogues(folder: Path = LOCALE) -> list[Path]:
    """Write the .mo files; what was written. A reader meanwhile sees the old file or the new one, never half of it."""
    written = []
    for source in sorted(folder.rglob("*.po")):
        target = source.with_suffix(".mo")
        unfinished = source.with_suffix(".mo.new")
        polib.pofile(str(source)).save_as_mofile(str(unfinished))
        unfinished.replace(target)
        written.append(target)
    return written


if __name__ == "__main__":
    compile_catalogues()
