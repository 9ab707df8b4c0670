"""Below /w/<workspace>/."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from telephony.reports import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("usage/", views.usage, name="usage"),
    path("usage/usage.csv", views.usage_csv, name="usage_csv"),
    path("agents/<str:agent_id>/forecast/", views.agent_forecast, name="agent_forecast"),
    path("costs/", views.costs, name="costs"),
]
