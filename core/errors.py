"""One shape for everything that goes wrong: `{error_code, title, message, request_id, doc_url}`.

Programs get it as JSON, people as a page (`errors/page.html`), htmx as a fragment (`errors/inline.html`), WebSockets as
a message. Raise `ApiError` from a view or a service; Django's own 400, 403, 404 and 500 take the same way out.
"""

from __future__ import annotations

from enum import StrEnum
from http import HTTPStatus
from typing import Any

from django.core.exceptions import DisallowedHost, RequestDataTooBig, TooManyFieldsSent
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template import loader

from core import theme


class ErrorCode(StrEnum):
    """Every code that a client may see. Codes are a promise: they are added, never renamed."""

    INVALID_REQUEST = "invalid_request"
    VALIDATION_FAILED = "validation_failed"
    NOT_AUTHENTICATED = "not_authenticated"
    PERMISSION_DENIED = "permission_denied"
    CSRF_FAILED = "csrf_failed"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    STALE_REVISION = "stale_revision"
    CONFLICT = "conflict"
    REQUEST_TOO_LARGE = "request_too_large"
    RATE_LIMITED = "rate_limited"
    QUOTA_EXCEEDED = "quota_exceeded"
    CONCURRENCY_LIMITED = "concurrency_limited"
    MODELS_LOADING = "models_loading"
    MODEL_NOT_FOUND = "model_not_found"
    PROVIDER_FAILED = "provider_failed"
    INVALID_EVENT = "invalid_event"
    INTERNAL = "internal_error"


STATUS: dict[ErrorCode, HTTPStatus] = {
    ErrorCode.INVALID_REQUEST: HTTPStatus.BAD_REQUEST,
    ErrorCode.INVALID_EVENT: HTTPStatus.BAD_REQUEST,
    ErrorCode.VALIDATION_FAILED: HTTPStatus.UNPROCESSABLE_ENTITY,
    ErrorCode.NOT_AUTHENTICATED: HTTPStatus.UNAUTHORIZED,
    ErrorCode.PERMISSION_DENIED: HTTPStatus.FORBIDDEN,
    ErrorCode.CSRF_FAILED: HTTPStatus.FORBIDDEN,
    ErrorCode.NOT_FOUND: HTTPStatus.NOT_FOUND,
    ErrorCode.METHOD_NOT_ALLOWED: HTTPStatus.METHOD_NOT_ALLOWED,
    ErrorCode.STALE_REVISION: HTTPStatus.CONFLICT,
    ErrorCode.CONFLICT: HTTPStatus.CONFLICT,
    ErrorCode.REQUEST_TOO_LARGE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    ErrorCode.RATE_LIMITED: HTTPStatus.TOO_MANY_REQUESTS,
    ErrorCode.QUOTA_EXCEEDED: HTTPStatus.PAYMENT_REQUIRED,
    ErrorCode.CONCURRENCY_LIMITED: HTTPStatus.TOO_MANY_REQUESTS,
    ErrorCode.MODELS_LOADING: HTTPStatus.SERVICE_UNAVAILABLE,
    ErrorCode.MODEL_NOT_FOUND: HTTPStatus.BAD_REQUEST,
    ErrorCode.PROVIDER_FAILED: HTTPStatus.BAD_GATEWAY,
    ErrorCode.INTERNAL: HTTPStatus.INTERNAL_SERVER_ERROR,
}


class ApiError(Exception):
    """Something went wrong that the client should know of. `title` is a few words, `message` says what to do."""

    def __init__(self, code: ErrorCode, title: str, message: str = "", *, doc_url: str | None = None) -> None:
        super().__init__(f"{title}: {message}" if message else title)
        self.code = code
        self.title = title
        self.message = message
        self.doc_url = doc_url

    @property
    def status(self) -> HTTPStatus:
        return STATUS[self.code]

    def as_dict(self, request_id: str) -> dict[str, Any]:
        return {
            "error_code": self.code.value,
            "title": self.title,
            "message": self.message,
            "request_id": request_id,
            "doc_url": self.doc_url,
        }


def response(request: HttpRequest, error: ApiError) -> HttpResponse:
    """`error` in the form that this client reads."""
    body = error.as_dict(getattr(request, "request_id", ""))
    if wants_json(request):
        return JsonResponse(body, status=error.status)
    # No request context: its processors may be what failed.
    context = {"error": body, "status": error.status, "theme": theme.chosen(request)}
    if getattr(request, "htmx", False):
        # Among the messages, and not in place of what the person was looking at.
        fragment = loader.render_to_string("errors/inline.html", context)
        return HttpResponse(fragment, status=error.status, headers={"HX-Retarget": "#toasts", "HX-Reswap": "beforeend"})
    return HttpResponse(loader.render_to_string("errors/page.html", context), status=error.status)


def wants_json(request: HttpRequest) -> bool:
    """Is the client a program? A browser prefers text/html; a client that takes anything is judged by what it sent."""
    if getattr(request, "htmx", False):
        return False
    if request.get_preferred_type(["text/html", "application/json"]) == "application/json":
        return True
    return request.content_type == "application/json" or "text/html" not in request.headers.get("Accept", "")


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Django's 400, which is also how it reports bodies that are too large."""
    if isinstance(exception, (RequestDataTooBig, TooManyFieldsSent)):
        return response(request, ApiError(ErrorCode.REQUEST_TOO_LARGE, "Too large", "Send less in one request."))
    if isinstance(exception, DisallowedHost):
        host = request.META.get("HTTP_HOST", "")
        message = f"This server does not answer to {host!r}. If it should, add the name to ALLOWED_HOSTS."
        return response(request, ApiError(ErrorCode.INVALID_REQUEST, "Unknown host", message))
    return response(request, ApiError(ErrorCode.INVALID_REQUEST, "Bad request", "The request could not be understood."))


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    message = str(exception or "") or "Your role in this workspace does not allow this. Ask one of its owners."
    return response(request, ApiError(ErrorCode.PERMISSION_DENIED, "Not allowed", message))


def page_not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return response(
        request, ApiError(ErrorCode.NOT_FOUND, "Not found", "There is nothing here, or it is not yours to see.")
    )


def server_error(request: HttpRequest) -> HttpResponse:
    message = "Something broke on our side and was written to the log, under the request id below."
    return response(request, ApiError(ErrorCode.INTERNAL, "Server error", message))


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form that was not sent by one of our pages, or by one that has been open for too long."""
    return response(request, ApiError(ErrorCode.CSRF_FAILED, "This page is out of date", "Reload it and try again."))
