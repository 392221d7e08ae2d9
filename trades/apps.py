from django.apps import AppConfig


class TradesConfig(AppConfig):
    name = "trades"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Let the record of connections hear of the desk's clock."""
        from market.signals import desk_clock_stepped
        from trades.feed import connections

        desk_clock_stepped.connect(connections.move_along, dispatch_uid="trades")
