from __future__ import annotations

from django.urls import URLPattern, path

from builder.consumers import EditingConsumer

websocket_urlpatterns: list[URLPattern] = [
    path("ws/w/<slug:workspace>/agents/<str:agent_id>/editing/", EditingConsumer.as_asgi()),
]
