from django.apps import AppConfig


class DashboardConfig(AppConfig):
    name = "dashboard"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from dashboard import guard, interest, live

        guard.connect_signals()
        live.connect_signals()
        interest.connect()
