"""Below /w/<workspace>/."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from builder.library import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("voices/", views.voices, name="voices"),
    path("voices/use/", views.voice_use, name="voice_use"),
    path("voices/favourite/", views.voice_favourite, name="voice_favourite"),
    path("voices/preview/", views.voice_preview, name="voice_preview"),
    path("voices/<str:connection_id>/fetch/", views.voices_fetch, name="voices_fetch"),
]
