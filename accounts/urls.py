from __future__ import annotations

from allauth.account.views import password_reset_from_key
from django.urls import path, re_path

from accounts import views

urlpatterns = [
    path("", views.home, name="home"),
    # allauth's own pattern of this name has no room for the underscore in our ids.
    re_path(
        r"^accounts/password/reset/key/(?P<uidb36>user_[0-9a-z]+)-(?P<key>.+)/$",
        password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path("setup/", views.setup_owner, name="setup"),
    path("workspaces/new/", views.workspace_new, name="workspace_new"),
    path("w/<slug:workspace>/settings/", views.workspace, name="workspace"),
    path("w/<slug:workspace>/api-keys/", views.api_keys, name="api_keys"),
    path("w/<slug:workspace>/api-keys/<str:key_id>/revoke/", views.api_key_revoke, name="api_key_revoke"),
]
