"""What a browser calls itself, as people call it. Pure: "Mozilla/5.0 (X11; Linux x86_64) … Chrome/142…" is "Chrome"."""

from __future__ import annotations

# In this order: each of them also claims to be those after it.
_PROGRAMS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


def browser_name(agent: str) -> str:
    """The program and its system, "Firefox, Windows"; what nobody knows stays as it is, and nothing is "—"."""
    program = next((name for mark, name in _PROGRAMS if mark in agent), None)
    if program is None:
        return agent[:60] or "—"
    system = next((name for mark, name in _SYSTEMS if mark in agent), None)
    return f"{program}, {system}" if system else program
