"""Below /w/<workspace>/."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from billing import views
from billing.payments import urls as payments

urlpatterns: list[URLPattern | URLResolver] = [
    *payments.urlpatterns,
    path("prices/", views.prices, name="prices"),
    path("prices/set/", views.price_set, name="price_set"),
    path("prices/reset/", views.price_reset, name="price_reset"),
]
