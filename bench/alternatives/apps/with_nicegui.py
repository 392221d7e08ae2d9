"""NiceGUI: a timer of one second for each page, which reads in a thread.

`python -m bench.alternatives.apps.with_nicegui`
"""

from __future__ import annotations

import os

from nicegui import run, ui

from bench.alternatives.apps import positions


@ui.page("/")
async def page() -> None:
    ui.label("Positions").classes("text-h4")
    table = ui.table(
        columns=[{"name": name, "label": title, "field": name} for name, title in positions.COLUMNS.items()],
        rows=await run.io_bound(positions.records),
        row_key="delivery_hour",
    )

    async def refresh() -> None:
        table.rows = await run.io_bound(positions.records)

    ui.timer(1.0, refresh)


ui.run(host="127.0.0.1", port=int(os.environ["PORT"]), title="Positions", show=False, reload=False)
