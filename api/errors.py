"""Errors of the API: the one shape of `core.errors`, always as JSON; as plain text for versions that knew no other."""

from __future__ import annotations

import logging
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, Throttled, ValidationError

from api import versions
from core.errors import ApiError, ErrorCode

log = logging.getLogger(__name__)


def answer(request: HttpRequest, error: ApiError) -> HttpResponse:
    """`error` as the client's version reads it."""
    if _reads_text(request):
        return HttpResponse(f"{error.title}: {error.message}", status=error.status, content_type="text/plain")
    return JsonResponse(error.as_dict(getattr(request, "request_id", "")), status=error.status)


def _reads_text(request: HttpRequest) -> bool:
    try:
        return versions.version_of(request) < versions.JSON_ERRORS
    except ApiError:
        return False


def install(api: NinjaAPI) -> None:
    """Let every error of `api` leave by `answer`."""

    @api.exception_handler(ApiError)
    def told(request: HttpRequest, error: ApiError) -> HttpResponse:
        return answer(request, error)

    @api.exception_handler(AuthenticationError)
    def no_key(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
        message = "Send a valid API key as “Authorization: Bearer sk_cw_…” or “X-API-Key: sk_cw_…”."
        return answer(request, ApiError(ErrorCode.NOT_AUTHENTICATED, "No valid API key", message))

    @api.exception_handler(ValidationError)
    def not_understood(request: HttpRequest, error: ValidationError) -> HttpResponse:
        message = " ".join(_sentence(each) for each in error.errors)
        return answer(request, ApiError(ErrorCode.INVALID_REQUEST, "Invalid request", message))

    @api.exception_handler(Throttled)
    def too_fast(request: HttpRequest, error: Throttled) -> HttpResponse:
        message = "This key sends more requests than it may. Wait as long as Retry-After says."
        return answer(request, ApiError(ErrorCode.RATE_LIMITED, "Too many requests", message))

    @api.exception_handler(Http404)
    def not_found(request: HttpRequest, error: Http404) -> HttpResponse:
        message = str(error) or "There is nothing here, or it is not yours to see."
        return answer(request, ApiError(ErrorCode.NOT_FOUND, "Not found", message))

    @api.exception_handler(HttpError)
    def not_json(request: HttpRequest, error: HttpError) -> HttpResponse:
        return answer(request, ApiError(ErrorCode.INVALID_REQUEST, "Invalid request", error.message))

    @api.exception_handler(Exception)
    def broken(request: HttpRequest, error: Exception) -> HttpResponse:
        log.error("A request to the API failed", exc_info=error)
        message = "Something broke on our side and was written to the log, under the request id."
        return answer(request, ApiError(ErrorCode.INTERNAL, "Server error", message))


def _sentence(error: dict[str, Any]) -> str:
    """What pydantic says of one value: "start_ts: Input should be a valid datetime."."""
    *_, name = error["loc"]
    return f"{name}: {error['msg'].removeprefix('Value error, ').rstrip('.')}."
