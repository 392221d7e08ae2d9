"""What a child process changes of the product's modules, from outside: once one of them has been imported."""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
from collections.abc import Callable, Collection, Sequence
from types import ModuleType

Change = Callable[[ModuleType], None]


def after_import(names: Collection[str], change: Change) -> None:
    """Load the modules of these names as ever, then change them."""
    sys.meta_path.insert(0, _Finder(names, change))


class _Changing(importlib.abc.Loader):
    def __init__(self, real: importlib.abc.Loader, change: Change) -> None:
        self._real, self._change = real, change

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        return self._real.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._real.exec_module(module)
        self._change(module)


class _Finder(importlib.abc.MetaPathFinder):
    def __init__(self, names: Collection[str], change: Change) -> None:
        self._names, self._change = names, change

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name not in self._names:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Changing(spec.loader, self._change)
        return spec
