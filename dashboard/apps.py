from django.apps import AppConfig


class DashboardConfig(AppConfig):
    name = "dashboard"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from accounts import audit_signals
        from dashboard.access import wall_screens
        from dashboard.live import access_news, announcer, price_priority
        from dashboard.models import TraderLogin
        from market.models import Market
        from prices.models import PriceCheck
        from trades.models import Trader

        audit_signals.watch(TraderLogin, Market, Trader, PriceCheck)
        access_news.connect_signals()
        wall_screens.connect_signals()
        announcer.connect_signals()
        price_priority.connect()
