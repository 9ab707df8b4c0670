from __future__ import annotations

from django.urls import URLPattern, path

from telephony.consumers import TestCallConsumer

websocket_urlpatterns: list[URLPattern] = [
    path("ws/w/<slug:workspace>/agents/<str:agent_id>/test-call/", TestCallConsumer.as_asgi()),
]
