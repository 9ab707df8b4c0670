"""The workspace's accounts with vendors. Keys go in and never come out."""

from __future__ import annotations

from typing import Any

from asgiref.sync import async_to_sync
from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import WorkspaceRequest, may, workspace_view
from accounts.models import Role
from builder import engine, limits, selectors, services, vendors
from builder.access import get_connection
from builder.connection_form import ConnectionForm
from builder.models import ModelConnection
from builder.presets import PRESETS
from builder.vendors import Access
from core import http
from voice.providers.base import ProviderError


@never_cache
@require_safe
@workspace_view()
def connections(request: WorkspaceRequest) -> HttpResponse:
    context = {
        "connections": selectors.connection_list(request.organization),
        "may_connect": may(request.role, Role.ADMIN),
    }
    return render(request, "builder/connections.html", context)


@never_cache
@sensitive_post_parameters("api_key")
@require_http_methods(["GET", "HEAD", "POST"])
@workspace_view(Role.ADMIN)
def connection_new(request: WorkspaceRequest) -> HttpResponse:
    form = ConnectionForm(request.POST or None, instance=ModelConnection(organization=request.organization))
    if not form.is_valid():
        return _page(request, form)
    made = services.connection_create(organization=request.organization, actor=request.user, **form.cleaned_data)
    messages.success(request, f"{made.name} is connected. Test it, then choose it on an agent's page.")
    return redirect("connection", workspace=request.organization.slug, connection_id=made.pk)


@never_cache
@sensitive_post_parameters("api_key")
@require_http_methods(["GET", "HEAD", "POST"])
@workspace_view(Role.ADMIN)
def connection(request: WorkspaceRequest, connection_id: str) -> HttpResponse:
    found = get_connection(request.organization, connection_id)
    form = ConnectionForm(request.POST or None, instance=found)
    if not form.is_valid():
        return _page(request, form)
    changed = {name: form.cleaned_data[name] for name in ConnectionForm.CHANGED}
    services.connection_update(connection=found, actor=request.user, **changed)
    messages.success(request, "Saved. New calls use it from now on.")
    return redirect("connection", workspace=request.organization.slug, connection_id=found.pk)


def _page(request: WorkspaceRequest, form: ConnectionForm) -> HttpResponse:
    stored = ModelConnection.objects.filter(pk=form.instance.pk).first()
    context = {
        "form": form,
        "connection": stored,
        "has_key": bool(stored and stored.api_key),
        "users": selectors.users_of(stored) if stored else [],
        "vendors": _vendors(),
        "presets": PRESETS,
        "reaches_own_machine": http.only_used_here(),
    }
    return render(request, "builder/connection.html", context, status=422 if form.is_bound else 200)


def _vendors() -> dict[str, dict[str, Any]]:
    """What the page says of each vendor when it is chosen."""
    return {
        known.id: {
            "label": known.label,
            "address": known.base_url,
            "hint": known.key_hint,
            "account": known.account_hint,
            "needsKey": known.needs_key,
            "roles": [vendors.ROLES[role] for role in vendors.roles(known.id)],
            "models": vendors.models(known.id, "llm"),
            "hasModels": vendors.has_role(known.id, "llm"),
        }
        for known in vendors.vendors().values()
    }


@require_POST
@workspace_view(Role.ADMIN)
def connection_test(request: WorkspaceRequest, connection_id: str) -> HttpResponse:
    """Try the account, and say what was found or what is wrong."""
    found = get_connection(request.organization, connection_id)
    limits.require("connection_test", request.user, times=20, seconds=60)
    try:
        said = async_to_sync(engine.check)(Access.by(found), found.default_model)
    except ProviderError as error:
        return render(request, "builder/_connection_test.html", {"problem": str(error)})
    return render(request, "builder/_connection_test.html", {"said": said})


@never_cache
@require_safe
@workspace_view(Role.MEMBER)
def connection_voices(request: WorkspaceRequest, connection_id: str) -> HttpResponse:
    """The voices of a connection, for the agent page's script: `voices` with `id` and `label`, and a `problem` where
    the vendor could not be asked, in which case only the best known ones are listed."""
    found = get_connection(request.organization, connection_id)
    limits.require("connection_voices", request.user, times=60, seconds=60)
    try:
        listed, problem = selectors.voices_of(found), ""
    except ProviderError as error:
        listed, problem = selectors.known_voices(found), str(error)
    return JsonResponse({"voices": listed, "problem": problem})


@require_POST
@workspace_view(Role.ADMIN)
def connection_delete(request: WorkspaceRequest, connection_id: str) -> HttpResponse:
    found = get_connection(request.organization, connection_id)
    services.connection_delete(connection=found, actor=request.user)
    messages.success(request, f"{found.name} is deleted.")
    return redirect("connections", workspace=request.organization.slug)
