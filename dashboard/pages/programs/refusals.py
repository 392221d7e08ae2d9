"""The refusals that addresses of the API have in common, by status."""

from __future__ import annotations

from typing import Any

from dashboard.pages.programs.schemas import Refusal

READS: dict[int, Any] = dict.fromkeys((400, 401, 403, 404, 410, 429, 503), Refusal)
WRITES: dict[int, Any] = {**READS, 409: Refusal}
