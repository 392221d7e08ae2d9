"""The table of the audit log, for the register (market/tables.py)."""

from __future__ import annotations

from market.tables import Table

TABLES = (Table("audit_entry", kept=True, shows_nothing="no page of a board shows it"),)
