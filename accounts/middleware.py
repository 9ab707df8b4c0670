"""The door of every workspace."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse

from accounts import access


class WorkspaceMiddleware:
    """Lets only members reach a view below `/w/<workspace>/`, whatever the view itself asks for and the method is.

    Others get 404, and who is not signed in is asked to. The request of a member has `organization` and `role`.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        slug = kwargs.get("workspace")
        if slug is None:
            return None
        if not request.user.is_authenticated:
            return access.ask_to_sign_in(request)
        access.enter_workspace(request, slug)
        return None
