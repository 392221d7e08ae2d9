from typing import Any

from django.apps import AppConfig


class TradesConfig(AppConfig):
    name = "trades"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Let the record of connections hear of the desk's clock."""
        from market.signals import desk_clock_stepped
        from trades.feed import connections

        def move_along(*, seconds: float, now: Any, **_kwargs: Any) -> None:
            connections.move_along(seconds=seconds, now=now)

        desk_clock_stepped.connect(move_along, weak=False, dispatch_uid="trades")
