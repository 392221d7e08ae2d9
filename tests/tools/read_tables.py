"""Reads one of our files with a tool as its users do, without a single option; run in the tools' own environment.

`python read_tables.py TOOL FILE` prints a list of rows as JSON: text as text, numbers as numbers, everything else as
{"type": …}.
"""

from __future__ import annotations

import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path


def plain(value: object) -> object:
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, int | float | Decimal):
        return None if value != value else float(value)
    try:
        return float(value.item())  # a NumPy scalar
    except (AttributeError, TypeError, ValueError):
        return {"type": type(value).__name__, "value": str(value)}


def with_pandas(path: str) -> list[dict[str, object]]:
    import pandas as pd

    frame = pd.read_excel(path) if path.endswith("xlsx") else pd.read_csv(path)
    return [{name: row[name] for name in frame.columns} for _, row in frame.iterrows()]


def with_polars(path: str) -> list[dict[str, object]]:
    import polars as pl

    return pl.read_csv(path, try_parse_dates=True).to_dicts()


def with_duckdb(path: str) -> list[dict[str, object]]:
    import duckdb

    found = duckdb.sql(f"SELECT * FROM '{path}'")
    return [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]


def with_csvkit(path: str) -> list[dict[str, object]]:
    program = Path(sys.executable).parent
    if path.endswith("xlsx"):
        made = subprocess.run([program / "in2csv", path], capture_output=True, check=True).stdout
        said = subprocess.run([program / "csvjson"], input=made, capture_output=True, check=True).stdout
    else:
        said = subprocess.run([program / "csvjson", path], capture_output=True, check=True).stdout
    return json.loads(said)


if __name__ == "__main__":
    read = {"pandas": with_pandas, "polars": with_polars, "duckdb": with_duckdb, "csvkit": with_csvkit}[sys.argv[1]]
    print(json.dumps([{str(name): plain(value) for name, value in row.items()} for row in read(sys.argv[2])]))
