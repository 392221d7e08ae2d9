"""Static files are looked at once a process, not with each test client: every client loads the middleware anew."""

from __future__ import annotations

from typing import Any

from whitenoise.base import WhiteNoise


def install() -> None:
    """From now on a folder that has been looked through is known."""
    look_through, known = WhiteNoise.update_files_dictionary, {}

    def look_once(whitenoise: Any, root: str, prefix: str) -> None:
        if (root, prefix) not in known:
            before = set(whitenoise.files)
            look_through(whitenoise, root, prefix)
            known[root, prefix] = {url: file for url, file in whitenoise.files.items() if url not in before}
        whitenoise.files.update(known[root, prefix])

    WhiteNoise.update_files_dictionary = look_once
