"""A column for sums: as many digits as they have."""

from __future__ import annotations

from typing import Any

from django.db import models


class Exact(models.DecimalField):  # type: ignore[type-arg]
    """PostgreSQL's numeric without any limit of digits: what SQL adds up comes back with every digit, and with no
    more. Written and read by SQL; Django itself would round it to the limits that it insists on."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{**options, "max_digits": 1000, "decimal_places": 100})

    def db_type(self, connection: Any) -> str:
        return "numeric"
