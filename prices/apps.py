from django.apps import AppConfig


class PricesConfig(AppConfig):
    name = "prices"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Let the ledger hear of the desk's clock."""
        from market.signals import desk_clock_stepped
        from prices import request_ledger

        desk_clock_stepped.connect(request_ledger.move_along, dispatch_uid="prices")
