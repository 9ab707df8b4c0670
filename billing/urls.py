"""Below /w/<workspace>/."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from billing import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("prices/", views.prices, name="prices"),
    path("prices/set/", views.price_set, name="price_set"),
    path("prices/reset/", views.price_reset, name="price_reset"),
]
