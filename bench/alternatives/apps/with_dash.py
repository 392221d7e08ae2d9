"""Dash: an interval of one second and a callback that gives the grid its rows (`gunicorn …with_dash:server`)."""

from __future__ import annotations

from typing import Any

import dash_ag_grid as dag
from dash import Dash, Input, Output, callback, dcc, html

from bench.alternatives.apps import positions

app = Dash(title="Positions")
server = app.server
app.layout = html.Div(
    [
        html.H1("Positions"),
        dag.AgGrid(
            id="positions",
            columnDefs=[{"field": name, "headerName": title} for name, title in positions.COLUMNS.items()],
            getRowId="params.data.delivery_hour",
            dashGridOptions={"domLayout": "autoHeight", "animateRows": False},
        ),
        dcc.Interval(id="second", interval=1000),
    ]
)


@callback(Output("positions", "rowData"), Input("second", "n_intervals"))
def refresh(_count: Any) -> list[positions.Record]:
    return positions.records()
