"""Middleware that every response passes."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed

from core import errors

GetResponse = Callable[[HttpRequest], HttpResponse]

_REQUEST_ID = re.compile(r"[\w.-]{8,64}", re.ASCII)


class RequestIdMiddleware:
    """Names the request: in `request.request_id`, in every log line about it and in the header X-Request-ID.

    A proxy's X-Request-ID is kept when it is a sensible one, so that the two logs can be read together.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else str(uuid.uuid4())
        request.request_id = request_id  # type: ignore[attr-defined]
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            response = self.get_response(request)
        response["X-Request-ID"] = request_id
        return response


class PermissionsPolicyMiddleware:
    """Says which of the browser's devices our pages may ask for: the microphone, and nothing else."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Permissions-Policy", settings.PERMISSIONS_POLICY)
        return response


class ErrorMiddleware:
    """Answers an `ApiError` of a view, and a method that it does not take, in the form that the client reads."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not isinstance(response, HttpResponseNotAllowed):
            return response
        allowed = response["Allow"]
        message = f"This address takes {allowed}, and not {request.method}."
        told = errors.response(request, errors.ApiError(errors.ErrorCode.METHOD_NOT_ALLOWED, "Another method", message))
        told["Allow"] = allowed
        return told

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return errors.response(request, exception) if isinstance(exception, errors.ApiError) else None
