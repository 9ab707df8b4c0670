"""The front door, and the set-up of an empty installation."""

from __future__ import annotations

from allauth.core import ratelimit
from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from accounts import services, setup
from accounts.access import ask_to_sign_in
from accounts.forms import SetupForm
from accounts.models import Organization
from core.errors import ApiError, ErrorCode


@never_cache
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """To where the visitor wants to be: set-up, sign-in, or the agents of their first workspace."""
    if not request.user.is_authenticated:
        return redirect("setup") if setup.is_needed() else ask_to_sign_in(request)
    organization = Organization.objects.filter(memberships__user=request.user).order_by("memberships__created_at").first()
    if organization is None:
        message = "You are signed in, but in no workspace. Ask the owner of one to add you."
        raise ApiError(ErrorCode.PERMISSION_DENIED, "No workspace", message)
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
