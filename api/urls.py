"""Every address of the API, at the root of the site: `CARTESIA_BASE_URL` is the address of the site itself."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path
from ninja import NinjaAPI

from api import errors
from api.routers import forecast, usage
from api.versions import NEWEST

# No page of documentation: ninja's comes from elsewhere, and ours is docs/api.md.
api = NinjaAPI(title="Callwright", version=NEWEST, urls_namespace="api", docs_url=None, openapi_url="/openapi.json")
errors.install(api)
api.add_router("/usage", usage.router)
api.add_router("/forecast", forecast.router)

urlpatterns: list[URLPattern | URLResolver] = [path("", api.urls)]
