"""The addresses of pages and API. A trader id is data and may hold slashes: hence `path`, with the day last."""

from __future__ import annotations

from django.contrib.auth.views import LogoutView
from django.urls import path

from dashboard import api, languages, status, views

urlpatterns = [
    path("", views.home, name="home"),
    path("boards/", views.choose, name="choose"),
    path("boards/<path:trader_id>/<str:day>/", views.board, name="board"),
    path("api/v1/boards/<path:trader_id>/<str:day>", api.board, name="api_board"),
    path("api/v1/prices/<str:market>/<str:day>/<str:delivery_hour>", api.price_path, name="api_price_path"),
    path("status/", status.status, name="status"),
    path("language/", languages.choose, name="language"),
    path("accounts/login/", views.SignIn.as_view(), name="login"),
    path("accounts/logout/", LogoutView.as_view(), name="logout"),
]
