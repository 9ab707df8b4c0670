"""Below /w/<workspace>/."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from builder.gallery import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("voices/", views.voices, name="voices"),
    path("voices/use/", views.voice_use, name="voice_use"),
    path("voices/favourite/", views.voice_favourite, name="voice_favourite"),
    path("voices/preview/", views.voice_preview, name="voice_preview"),
    path("voices/bring/", views.voice_bring, name="voice_bring"),
    path("voices/add/", views.voice_add, name="voice_add"),
    path("voices/added/<int:added_id>/remove/", views.voice_remove, name="voice_remove"),
    path("voices/files/<str:voice_id>/delete/", views.voice_file_delete, name="voice_file_delete"),
    path("voices/<str:connection_id>/fetch/", views.voices_fetch, name="voices_fetch"),
]
