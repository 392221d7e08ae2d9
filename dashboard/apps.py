from django.apps import AppConfig


class DashboardConfig(AppConfig):
    name = "dashboard"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from accounts import audit_signals
        from dashboard.access import wall_screens
        from dashboard.assumptions import judging
        from dashboard.assumptions.models import AssumptionPolicy
        from dashboard.live import access_news, announcer, price_priority
        from dashboard.models import TraderLogin
        from market.models import Market
        from prices.models import PriceCheck
        from trades.models import Trader

        audit_signals.watch(TraderLogin, Market, Trader, PriceCheck, AssumptionPolicy)
        judging.connect_signals()
        access_news.connect_signals()
        wall_screens.connect_signals()
        announcer.connect_signals()
        price_priority.connect()
