"""Below /w/<workspace>/."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from builder.sounds import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("sounds/", views.sounds, name="sounds"),
    path("sounds/<str:sound_id>/audio.wav", views.sound_audio, name="sound_audio"),
    path("sounds/<str:sound_id>/delete/", views.sound_delete, name="sound_delete"),
]
