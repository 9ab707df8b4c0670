"""The front door, the set-up of an empty installation, and workspaces."""

from __future__ import annotations

from allauth.core import ratelimit
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import selectors, services, setup
from accounts.access import (
    AuthenticatedRequest,
    WorkspaceRequest,
    ask_to_sign_in,
    get_api_key,
    may,
    require_role,
    workspace_view,
)
from accounts.forms import ApiKeyForm, SetupForm, WorkspaceForm
from accounts.models import Role
from core.errors import ApiError, ErrorCode


@never_cache
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """To where the visitor wants to be: set-up, sign-in, or the agents of the workspace they were in last."""
    if not request.user.is_authenticated:
        return redirect("setup") if setup.is_needed() else ask_to_sign_in(request)
    organization = selectors.home_workspace(request.user, last=request.session.get("workspace", ""))
    if organization is None:
        return redirect("workspace_new")
    return redirect("agents", workspace=organization.slug)


@never_cache
@sensitive_post_parameters("password", "token")
@require_http_methods(["GET", "HEAD", "POST"])
def setup_owner(request: HttpRequest) -> HttpResponse:
    """The first visit: make the owner and their workspace, sign in, and go to the example agent."""
    if not setup.is_needed():
        return redirect("home")
    ask_token = setup.token_is_needed(request)
    if request.method != "POST":
        return _setup_page(request, SetupForm(ask_token=ask_token, initial={"token": request.GET.get("token", "")}))
    if not ratelimit.consume(request, action="login"):
        raise ApiError(ErrorCode.RATE_LIMITED, "Too many tries", "Wait a minute and try again.")
    form = SetupForm(request.POST, ask_token=ask_token)
    if not form.is_valid():
        return _setup_page(request, form, status=422)
    user, landing = services.owner_setup(
        email=form.cleaned_data["email"],
        password=form.cleaned_data["password"],
        name=form.cleaned_data["name"],
        organization_name=form.cleaned_data["workspace_name"],
    )
    setup.token_file().unlink(missing_ok=True)
    login(request, user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return redirect(landing or "home")


def _setup_page(request: HttpRequest, form: SetupForm, status: int = 200) -> HttpResponse:
    return render(request, "accounts/setup.html", {"form": form, "token_file": setup.token_file()}, status=status)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def workspace_new(request: AuthenticatedRequest) -> HttpResponse:
    """Another workspace, owned by the person who makes it."""
    form = WorkspaceForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        organization, landing = services.organization_create(name=form.cleaned_data["name"], owner=request.user)
        messages.success(request, f"The workspace {organization.name} is ready.")
        return redirect(landing) if landing else redirect("agents", workspace=organization.slug)
    return render(request, "accounts/workspace_new.html", {"form": form}, status=422 if form.is_bound else 200)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@workspace_view()
def workspace(request: WorkspaceRequest) -> HttpResponse:
    """A workspace's name and members. Admins may rename it."""
    organization = request.organization
    form = WorkspaceForm(request.POST or None, initial={"name": organization.name})
    if request.method == "POST":
        require_role(request.role, Role.ADMIN)
        if form.is_valid():
            services.organization_rename(organization=organization, actor=request.user, name=form.cleaned_data["name"])
            messages.success(request, "The workspace has its new name.")
            return redirect("workspace", workspace=organization.slug)
    context = {
        "form": form,
        "may_rename": may(request.role, Role.ADMIN),
        "memberships": selectors.memberships(organization),
    }
    return render(request, "accounts/workspace.html", context, status=422 if form.is_bound else 200)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@workspace_view(Role.ADMIN)
def api_keys(request: WorkspaceRequest) -> HttpResponse:
    """The workspace's API keys, and the form that makes one. The answer to it is the only page that shows the key."""
    form = ApiKeyForm(request.POST or None)
    made = ""
    if request.method == "POST" and form.is_valid():
        _, made = services.api_key_create(
            organization=request.organization,
            actor=request.user,
            name=form.cleaned_data["name"],
            kind=form.cleaned_data["kind"],
            expires_at=form.expires_at,
        )
        form = ApiKeyForm()
    context = {"form": form, "keys": selectors.api_key_list(request.organization), "made": made}
    return render(request, "accounts/api_keys.html", context, status=422 if form.is_bound else 200)


@require_POST
@workspace_view(Role.ADMIN)
def api_key_revoke(request: WorkspaceRequest, key_id: str) -> HttpResponse:
    key = get_api_key(request.organization, key_id)
    services.api_key_revoke(key=key, actor=request.user)
    messages.success(request, f"The key {key.name} is revoked: requests with it are refused from now on.")
    return redirect("api_keys", workspace=request.organization.slug)
