"""Of every figure that programs get of a board one digest, apart from the clock and what hangs on it alone, and from
what like cases say: these are no figures of the board's own."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from dashboard.figures.board import Board
from dashboard.render.board_json import board_json


def digest(board: Board) -> str:
    """A board's."""
    return digest_of(board_json(board))


def digest_of(shown: dict[str, Any]) -> str:
    """That of a board as the API shows it."""
    figures = {name: value for name, value in shown.items() if name not in {"as_of", "basis"}}
    clockless = [
        {name: value for name, value in period.items() if name not in {"state", "gate_closures", "firmness"}}
        for period in shown["periods"]
    ]
    return hashlib.sha256(json.dumps({**figures, "periods": clockless}).encode()).hexdigest()
