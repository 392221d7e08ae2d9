"""Every address of the product. What is not here does not exist."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

from reporting import health, metrics

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", metrics.metrics, name="metrics"),
    path("admin/", admin.site.urls),
    path("", include("dashboard.pages.urls")),
]

handler500 = "reporting.http.middleware.server_error"
