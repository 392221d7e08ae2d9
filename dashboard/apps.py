from django.apps import AppConfig


class DashboardConfig(AppConfig):
    name = "dashboard"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from accounts import audit_signals
        from dashboard import guard, interest, live
        from dashboard.models import TraderLogin
        from market.models import Market
        from trades.models import Trader

        audit_signals.watch(TraderLogin, Market, Trader)
        guard.connect_signals()
        live.connect_signals()
        interest.connect()
