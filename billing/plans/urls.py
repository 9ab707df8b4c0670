"""Of the installation, not of a workspace."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from billing.plans import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("plans/", views.plans, name="plans"),
    path("plans/<slug:plan_id>/", views.plan, name="plan_versions"),
]
