"""The ASGI application: HTTP, WebSockets, and the server's lifespan."""

from __future__ import annotations

import os
import warnings

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
http = get_asgi_application()  # sets Django up, so it comes before what imports models

from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from channels.security.websocket import AllowedHostsOriginValidator  # noqa: E402
from django.conf import settings  # noqa: E402

from builder.routing import websocket_urlpatterns as editing  # noqa: E402
from core import lifespan  # noqa: E402
from core.bodies import bounded  # noqa: E402
from telephony.routing import websocket_urlpatterns as calls  # noqa: E402

# WhiteNoise hands files over piece by piece in the old way. It works, and saying so at every file helps nobody.
warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous iterators")

application = ProtocolTypeRouter(
    {
        "http": bounded(http, settings.MOST_REQUEST_BYTES),
        "websocket": AllowedHostsOriginValidator(AuthMiddlewareStack(URLRouter([*editing, *calls]))),
        "lifespan": lifespan.application,
    }
)
