from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from billing.stripe import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("stripe/webhook/", views.webhook, name="stripe_webhook"),
]
