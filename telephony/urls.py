from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from telephony import views
from telephony.reports import urls as reports

urlpatterns: list[URLPattern | URLResolver] = [
    path("agents/<str:agent_id>/estimate/", views.agent_estimate, name="agent_estimate"),
    path("calls/", views.calls, name="calls"),
    path("calls/<str:call_id>/", views.call, name="call"),
    path("calls/<str:call_id>/recording/", views.call_recording, name="call_recording"),
    path("calls/<str:call_id>/recording/outline/", views.call_outline, name="call_outline"),
    path("calls/<str:call_id>/events.json", views.call_events, name="call_events"),
    path("calls/<str:call_id>/delete/", views.call_delete, name="call_delete"),
    *reports.urlpatterns,
    path("status/", views.status, name="status"),
]
