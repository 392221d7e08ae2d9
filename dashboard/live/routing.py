"""The websocket addresses, beside the pages' (dashboard/pages/urls.py)."""

from __future__ import annotations

from typing import Any

from django.urls import re_path

from dashboard.live.sockets import AssumptionsSocket, BoardSocket, DeskSocket

websocket_urlpatterns: list[Any] = [
    re_path(r"^ws/boards/(?P<trader_id>.+)/(?P<day>\d{4}-\d{2}-\d{2})/$", BoardSocket.as_asgi()),  # type: ignore[arg-type]
    re_path(r"^ws/assumptions/$", AssumptionsSocket.as_asgi()),  # type: ignore[arg-type]
    re_path(r"^ws/desk/(?P<day>\d{4}-\d{2}-\d{2})/$", DeskSocket.as_asgi()),  # type: ignore[arg-type]
]
