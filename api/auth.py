"""Who is asking: an API key, as `Authorization: Bearer sk_cw_…` or as `X-API-Key: sk_cw_…`.

    router = Router(auth=admin_key)

A view then finds the key at `request.auth` and what it may see at `request.auth.organization`, and nothing else of the
request says whose data is meant.
"""

from __future__ import annotations

from abc import abstractmethod

from django.http import HttpRequest
from ninja.security.base import AuthBase

from accounts.api_keys import find_api_key
from accounts.models import ApiKey
from api.versions import version_of
from core.errors import ApiError, ErrorCode


class KeyRequest(HttpRequest):
    """A request with a key that is valid for it."""

    auth: ApiKey
    request_id: str


class _KeyAuth(AuthBase):
    """Lets keys of one kind in. The other kind is told so; whatever else was sent is no key."""

    def __init__(self, kind: ApiKey.Kind) -> None:
        self.kind = kind
        super().__init__()

    @abstractmethod
    def sent(self, request: HttpRequest) -> str:
        """The key as it was sent, "" where there is none."""

    def __call__(self, request: HttpRequest) -> ApiKey | None:
        version_of(request)  # a request of no known version is refused before anything else
        sent = self.sent(request)
        key = find_api_key(sent) if sent else None
        if key is not None and key.kind != self.kind:
            message = f"This address takes an {self.kind.label.lower()} key, and yours is a {key.kind} one."
            if self.kind == ApiKey.Kind.STANDARD:
                message = f"This address takes a standard key, and yours is an {key.kind} one."
            raise ApiError(ErrorCode.PERMISSION_DENIED, "Another kind of key", message)
        return key


class BearerKey(_KeyAuth):
    openapi_type = "http"
    openapi_scheme = "bearer"

    def sent(self, request: HttpRequest) -> str:
        scheme, _, sent = request.headers.get("Authorization", "").partition(" ")
        return sent.strip() if scheme.lower() == "bearer" else ""


class HeaderKey(_KeyAuth):
    openapi_type = "apiKey"
    openapi_in = "header"
    openapi_name = "X-API-Key"

    def sent(self, request: HttpRequest) -> str:
        return request.headers.get("X-API-Key", "").strip()


admin_key = [BearerKey(ApiKey.Kind.ADMIN), HeaderKey(ApiKey.Kind.ADMIN)]
standard_key = [BearerKey(ApiKey.Kind.STANDARD), HeaderKey(ApiKey.Kind.STANDARD)]
