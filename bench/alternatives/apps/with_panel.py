"""Panel: a Tabulator for each session, and a periodic callback of one second (`panel serve with_panel.py`)."""

from __future__ import annotations

import pandas as pd
import panel as pn

from bench.alternatives.apps import positions

pn.extension("tabulator")


def frame() -> pd.DataFrame:
    return pd.DataFrame(positions.records(), columns=list(positions.COLUMNS))


table = pn.widgets.Tabulator(frame(), titles=positions.COLUMNS, show_index=False, disabled=True)


def refresh() -> None:
    table.value = frame()


pn.state.add_periodic_callback(refresh, 1000)
pn.Column("# Positions", table).servable(title="Positions")
