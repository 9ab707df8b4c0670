"""Every address of the site. Workspace pages are under `/w/<workspace>/`."""

from __future__ import annotations

from django.urls import include, path

from config import views
from core import views as core_views

urlpatterns = [
    path("healthz", core_views.healthz, name="healthz"),
    path("readyz", core_views.readyz, name="readyz"),
    path("accounts/", include("allauth.urls")),
    path("", include("accounts.urls")),
    path("", include("billing.stripe.urls")),
    path("", include("billing.plans.urls")),
    path("w/<slug:workspace>/palette/", views.palette, name="palette"),
    path("w/<slug:workspace>/", include("builder.urls")),
    path("w/<slug:workspace>/", include("telephony.urls")),
    path("w/<slug:workspace>/", include("billing.urls")),
    path("", include("api.urls")),
]

handler400 = "core.errors.bad_request"
handler403 = "core.errors.permission_denied"
handler404 = "core.errors.page_not_found"
handler500 = "core.errors.server_error"
