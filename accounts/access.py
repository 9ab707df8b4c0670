"""Who may see and do what. Every view of a workspace starts here: 404 for strangers comes before 403 for roles."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import resolve_url
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from accounts.models import ApiKey, Membership, Organization, Role, User
from core import errors
from core.errors import ApiError, ErrorCode

# The higher, the more one may do.
RANK = {Role.VIEWER: 0, Role.MEMBER: 1, Role.ADMIN: 2, Role.OWNER: 3}

P = ParamSpec("P")


class AuthenticatedRequest(HttpRequest):
    """A request by somebody who is signed in."""

    user: User
    request_id: str
    htmx: HtmxDetails


class WorkspaceRequest(AuthenticatedRequest):
    """A request about a workspace, by one of its members."""

    organization: Organization
    role: Role


def get_membership(user: User | AnonymousUser, slug: str) -> Membership:
    """The membership of `user` in the workspace `slug`. Raises Http404, alike for none and for no such workspace."""
    if isinstance(user, AnonymousUser):
        raise Http404("No such workspace")
    try:
        return Membership.objects.select_related("organization").get(user=user, organization__slug=slug)
    except Membership.DoesNotExist:
        raise Http404("No such workspace") from None


def get_organization(user: User | AnonymousUser, slug: str) -> Organization:
    """The workspace `slug`, for a member of it. Raises Http404 for anyone else."""
    return get_membership(user, slug).organization


def get_api_key(organization: Organization, key_id: str) -> ApiKey:
    """An API key of the workspace, working or not. Raises Http404 for those of others."""
    key = ApiKey.objects.select_related("organization").filter(organization=organization, pk=key_id).first()
    if key is None:
        raise Http404("No such key")
    return key


def may(role: str, minimum: Role) -> bool:
    """May somebody with `role` do what takes at least `minimum`?"""
    return RANK[Role(role)] >= RANK[minimum]


def require_role(role: str, minimum: Role) -> None:
    """Raises ApiError (permission denied) unless `role` is at least `minimum`."""
    if not may(role, minimum):
        raise ApiError(
            ErrorCode.PERMISSION_DENIED,
            "Not allowed",
            f"This takes the role {minimum.label.lower()} in this workspace, and yours is {Role(role).label.lower()}.",
        )


def require_administrator(user: User) -> None:
    """Raises ApiError (permission denied) unless `user` administers the whole installation."""
    if not user.is_superuser:
        message = "This is for whoever administers this installation."
        raise ApiError(ErrorCode.PERMISSION_DENIED, "Not allowed", message)


def workspace_view(
    minimum: Role = Role.VIEWER,
) -> Callable[[Callable[Concatenate[WorkspaceRequest, P], HttpResponseBase]], Callable[..., HttpResponseBase]]:
    """A view below `/w/<workspace>/`, for members of at least `minimum`; its request has `organization` and `role`.

        @workspace_view(Role.MEMBER)
        def agent_publish(request: WorkspaceRequest, agent_id: str) -> HttpResponse: ...

    That the caller is a member at all is seen to by `accounts.middleware`, before any other decorator of the view.
    """

    def decorate(view: Callable[Concatenate[WorkspaceRequest, P], HttpResponseBase]) -> Callable[..., HttpResponseBase]:
        @wraps(view)
        def wrapper(request: WorkspaceRequest, *args: Any, workspace: str, **kwargs: Any) -> HttpResponseBase:
            require_role(request.role, minimum)
            return view(request, *args, **kwargs)

        return wrapper

    return decorate


def enter_workspace(request: Any, slug: str) -> None:
    """Set `organization` and `role` of the request, and remember where the person works. Http404 for a stranger."""
    membership = get_membership(request.user, slug)
    request.organization, request.role = membership.organization, Role(membership.role)
    if request.session.get("workspace") != slug:
        request.session["workspace"] = slug


def ask_to_sign_in(request: HttpRequest) -> HttpResponse:
    """To the sign-in page and back; a program gets 401 instead."""
    if getattr(request, "htmx", False):
        return HttpResponseClientRedirect(resolve_url("account_login"))
    if errors.wants_json(request):
        return errors.response(request, ApiError(ErrorCode.NOT_AUTHENTICATED, "Not signed in", "Sign in first."))
    return redirect_to_login(request.get_full_path())
