"""Streamlit: a fragment that runs again every second (`streamlit run with_streamlit.py`).

`st.table` writes real cells. `st.dataframe` would draw on a canvas, whose text can be seen only in a copy for screen
readers that lags behind.
"""

from __future__ import annotations

import pandas as pd
import streamlit as st

from bench.alternatives.apps import positions

st.set_page_config(page_title="Positions", layout="wide")
st.title("Positions")


@st.fragment(run_every=1)
def table() -> None:
    rows = positions.records()
    columns = {title: [row[name] for row in rows] for name, title in positions.COLUMNS.items()}
    hours = columns.pop("Delivery hour")
    st.table(pd.DataFrame(columns, index=pd.Index(hours, name="Delivery hour")))


table()
