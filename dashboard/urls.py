"""The addresses of pages and API. A trader id is data and may hold slashes: hence `path`, with the day last."""

from __future__ import annotations

from django.contrib.auth.views import LogoutView
from django.urls import path, re_path

from dashboard import (
    account_pages,
    api,
    desk_pages,
    export_pages,
    history_pages,
    languages,
    period_pages,
    status,
    views,
)

_FORM = r"(?P<form>csv|xlsx)"
_DAY = r"(?P<trader_id>.+)/(?P<day>\d{4}-\d{2}-\d{2})"
_PERIOD = r"(?P<trader_id>.+)/(?P<day>\d{4}-\d{2}-\d{2})/(?P<delivery_hour>(?!\d{4}-\d{2}-\d{2}/?\Z)[^/]+)"
"""Whatever stands behind a day and is no day itself is meant as one of its periods."""

urlpatterns = [
    path("", views.home, name="home"),
    path("boards/", views.choose, name="choose"),
    re_path(rf"^boards/{_DAY}/board\.{_FORM}\Z", export_pages.board, name="board_export"),
    re_path(rf"^boards/{_PERIOD}/trades\.{_FORM}\Z", export_pages.trades, name="trades_export"),
    re_path(rf"^boards/{_PERIOD}/\Z", period_pages.period, name="period"),
    path("boards/<path:trader_id>/<str:day>/", views.board, name="board"),
    re_path(rf"^api/v1/trades/{_PERIOD}\Z", period_pages.chart, name="api_period"),
    path("api/v1/boards/<path:trader_id>/<str:day>", api.board, name="api_board"),
    path("api/v1/prices/<str:market>/<str:day>/<str:delivery_hour>", api.price_path, name="api_price_path"),
    path("desk/", desk_pages.desk, name="desk"),
    re_path(rf"^desk/(?P<day>[^/]+)/desk\.{_FORM}\Z", export_pages.desk, name="desk_export"),
    path("desk/<str:day>/", desk_pages.desk, name="desk_day"),
    re_path(rf"^history/history\.{_FORM}\Z", export_pages.history, name="history_export"),
    path("history/", history_pages.history, name="history"),
    path("status/", status.status, name="status"),
    path("language/", languages.choose, name="language"),
    path("accounts/", account_pages.account, name="account"),
    path("accounts/sessions/end/", account_pages.end, name="end_session"),
    path("accounts/password/", account_pages.ChangePassword.as_view(), name="password"),
    path("accounts/second-step/", account_pages.second_step, name="second_step"),
    path("accounts/second-factor/", account_pages.set_up_factor, name="set_up_factor"),
    path("accounts/second-factor/remove/", account_pages.remove_factor, name="remove_factor"),
    path("accounts/company/", account_pages.to_company, name="to_company"),
    path("accounts/company/back/", account_pages.from_company, name="from_company"),
    path("accounts/login/", views.SignIn.as_view(), name="login"),
    path("accounts/logout/", LogoutView.as_view(), name="logout"),
]
