"""The addresses of pages and API. A trader id is data and may hold slashes: hence `path`, with the day last."""

from __future__ import annotations

from django.contrib.auth.views import LogoutView
from django.urls import include, path, re_path

from dashboard.pages import account, api, boards, desk, exports, history, language, login, period, second_factor, status
from dashboard.pages.alerts import page as alerts
from dashboard.pages.assumptions import api as assumptions_api
from dashboard.pages.assumptions import board as assumptions_board
from dashboard.pages.assumptions import files as assumptions_files
from dashboard.pages.assumptions import page as assumptions_page
from dashboard.pages.earnings import page as earnings
from dashboard.pages.itself import page as itself
from dashboard.pages.programs import api as programs
from dashboard.pages.programs import events
from dashboard.pages.programs import help as programs_help
from dashboard.pages.visit import page as visit

_FORM = r"(?P<form>csv|xlsx|sheet\.csv)"
_DAY = r"(?P<trader_id>.+)/(?P<day>\d{4}-\d{2}-\d{2})"
_PERIOD = r"(?P<trader_id>.+)/(?P<day>\d{4}-\d{2}-\d{2})/(?P<delivery_hour>(?!\d{4}-\d{2}-\d{2}/?\Z)[^/]+)"
"""Whatever stands behind a day and is no day itself is meant as one of its periods."""

urlpatterns = [
    path("", boards.home, name="home"),
    path("boards/", boards.choose, name="choose"),
    re_path(rf"^boards/{_DAY}/board\.{_FORM}\Z", exports.board, name="board_export"),
    re_path(rf"^boards/{_PERIOD}/trades\.{_FORM}\Z", exports.trades, name="trades_export"),
    re_path(rf"^boards/{_PERIOD}/\Z", period.period, name="period"),
    path("boards/<path:trader_id>/<str:day>/", boards.board, name="board"),
    re_path(rf"^api/v1/trades/{_PERIOD}\Z", period.chart, name="api_period"),
    path("api/v1/boards/<path:trader_id>/<str:day>", api.board, name="api_board"),
    path("api/v1/prices/<str:market>/<str:day>/<str:delivery_hour>", api.price_path, name="api_price_path"),
    path("api/", programs_help.page, name="api"),
    path("api/v1/openapi.json", programs.openapi, name="openapi"),
    path("api/v1/events", events.events, name="api_events"),
    path("api/v1/assumptions", assumptions_api.many, name="api_assumptions"),
    path("api/v1/assumptions/<int:number>", assumptions_api.one, name="api_assumption"),
    path(programs.PREFIX, include(programs.urls())),
    path("alerts/", alerts.page, name="alerts"),
    path("alerts/change/", alerts.change, name="change_alerts"),
    path("alerts/line/", alerts.line, name="alerts_line"),
    path("assumptions/", assumptions_page.page, name="assumptions"),
    path("assumptions/board/", assumptions_board.board, name="assumptions_board"),
    path("assumptions/assumptions.json", assumptions_files.as_json, name="assumptions_json"),
    re_path(rf"^assumptions/assumptions\.{_FORM}\Z", assumptions_files.as_table, name="assumptions_export"),
    path("assumptions/<int:number>/withdraw/", assumptions_page.take_back, name="withdraw_assumption"),
    path("desk/", desk.desk, name="desk"),
    re_path(rf"^desk/(?P<day>[^/]+)/desk\.{_FORM}\Z", exports.desk, name="desk_export"),
    path("desk/against-itself/", itself.page, name="against_itself"),
    path("desk/against-itself/<str:day>/", itself.page, name="against_itself_day"),
    path("desk/<str:day>/", desk.desk, name="desk_day"),
    re_path(rf"^history/history\.{_FORM}\Z", exports.history, name="history_export"),
    path("history/", history.history, name="history"),
    path("history/earnings/", earnings.earnings, name="earnings"),
    path("history/earnings/trades/", earnings.trades, name="earnings_trades"),
    path("status/", status.status, name="status"),
    path("status/runbooks/<slug:name>/", status.runbook, name="runbook"),
    path("language/", language.choose, name="language"),
    path("reading/", language.choose_reading, name="reading"),
    path("marks/", language.choose_marks, name="marks"),
    path("first-visit/", visit.first_visit, name="first_visit"),
    path("accounts/", account.account, name="account"),
    path("accounts/sessions/end/", account.end, name="end_session"),
    path("accounts/tokens/", account.make_token, name="make_token"),
    path("accounts/tokens/revoke/", account.end_token, name="revoke_token"),
    path("accounts/password/", account.ChangePassword.as_view(), name="password"),
    path("accounts/second-step/", second_factor.second_step, name="second_step"),
    path("accounts/second-factor/", second_factor.set_up_factor, name="set_up_factor"),
    path("accounts/second-factor/remove/", second_factor.remove_factor, name="remove_factor"),
    path("accounts/company/", login.to_company, name="to_company"),
    path("accounts/company/back/", login.from_company, name="from_company"),
    path("accounts/login/", login.SignIn.as_view(), name="login"),
    path("accounts/logout/", LogoutView.as_view(), name="logout"),
    re_path(r"^api/.+", programs.nothing),
]
