from __future__ import annotations

from django.urls import path

from accounts import views

urlpatterns = [
    path("", views.home, name="home"),
    path("setup/", views.setup_owner, name="setup"),
    path("workspaces/new/", views.workspace_new, name="workspace_new"),
    path("w/<slug:workspace>/settings/", views.workspace, name="workspace"),
]
