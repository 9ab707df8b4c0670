"""Below /w/<workspace>/."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from builder.tools import views
from builder.tools.openapi.views import tool_openapi, tool_operations

urlpatterns: list[URLPattern | URLResolver] = [
    path("tools/", views.tools, name="tools"),
    path("tools/new/", views.tool_new, name="tool_new"),
    path("tools/import/", views.tool_import, name="tool_import"),
    path("tools/openapi/", tool_openapi, name="tool_openapi"),
    path("tools/openapi/operations/", tool_operations, name="tool_operations"),
    path("tools/secrets/", views.secrets, name="secrets"),
    path("tools/secrets/<str:secret_id>/delete/", views.secret_delete, name="secret_delete"),
    path("tools/<str:tool_id>/", views.tool, name="tool"),
    path("tools/<str:tool_id>/delete/", views.tool_delete, name="tool_delete"),
    path("tools/<str:tool_id>/listing/", views.tool_listing, name="tool_listing"),
    path("tools/<str:tool_id>/test/", views.tool_test, name="tool_test"),
]
