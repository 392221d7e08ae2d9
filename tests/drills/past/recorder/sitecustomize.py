"""Read by a web process that has this folder on PYTHONPATH: each board that it renders is noted in DRILL_BOARDS.

A line has when rendering began, whose board it is, and all of its figures.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import json
import os
import sys
import time
from collections.abc import Sequence
from types import ModuleType
from typing import Any

_MODULE = "dashboard.live.boards"


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


class _Wrapping(importlib.abc.Loader):
    def __init__(self, real: importlib.abc.Loader) -> None:
        self._real = real

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        return self._real.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._real.exec_module(module)
        module.__dict__["render"] = _noting(module.__dict__["render"])


class _Finder(importlib.abc.MetaPathFinder):
    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        spec = importlib.machinery.PathFinder.find_spec(name, path, target) if name == _MODULE else None
        if spec is not None and spec.loader is not None:
            spec.loader = _Wrapping(spec.loader)
        return spec


sys.meta_path.insert(0, _Finder())
