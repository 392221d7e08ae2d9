from typing import Any

from django.apps import AppConfig


class PricesConfig(AppConfig):
    name = "prices"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Let the ledger hear of the desk's clock."""
        from market.signals import desk_clock_stepped
        from prices import request_ledger

        def move_along(*, seconds: float, now: Any, **_kwargs: Any) -> None:
            request_ledger.move_along(seconds=seconds, now=now)

        desk_clock_stepped.connect(move_along, weak=False, dispatch_uid="prices")
