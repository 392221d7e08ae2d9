"""Read by a web process that has this folder on PYTHONPATH: each board that it renders is noted in DRILL_BOARDS.

Behind it stands tests/drills/faults there. A line has when rendering began, whose board it is, and all of its figures.
"""

from __future__ import annotations

import json
import os
import time
from types import ModuleType
from typing import Any

from after_import import after_import


def _noting(render: Any) -> Any:
    def noted(key: Any, *arguments: Any) -> Any:
        from dashboard.render.board_json import board_json  # Django has to be set up

        began = time.time()
        rendered = render(key, *arguments)
        shown = board_json(rendered.board)
        line = json.dumps([began, key.trader_pk, key.day.isoformat(), key.reading.value, shown])
        with open(os.environ["DRILL_BOARDS"], "a") as file:
            file.write(f"{line}\n")
        return rendered

    return noted


def _note(module: ModuleType) -> None:
    module.__dict__["render"] = _noting(module.__dict__["render"])


after_import({"dashboard.live.boards"}, _note)
