"""The workspace's library of tools. Secrets go in and never come out."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import WorkspaceRequest, may, workspace_view
from accounts.models import Role
from builder.access import get_secret, get_tool
from builder.tools import selectors, services
from builder.tools.forms import FORMS, SecretForm, ToolForm
from builder.tools.models import Tool


@never_cache
@require_safe
@workspace_view()
def tools(request: WorkspaceRequest) -> HttpResponse:
    context = {"tools": selectors.tool_list(request.organization), "may_edit": may(request.role, Role.ADMIN)}
    return render(request, "builder/tools/tools.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@workspace_view(Role.ADMIN)
def tool_new(request: WorkspaceRequest) -> HttpResponse:
    """Asks for the kind first, which `?kind=` says then."""
    kind = request.GET.get("kind", "")
    if not kind:
        return render(request, "builder/tools/new.html", {"kinds": selectors.KINDS})
    if kind not in FORMS:
        raise Http404("No such kind of tool.")
    form = FORMS[kind](request.POST or None, organization=request.organization)
    if not form.is_valid():
        return _page(request, form)
    made = services.tool_create(
        organization=request.organization,
        actor=request.user,
        kind=kind,
        name=form.cleaned_data["name"],
        description=form.cleaned_data["description"],
        config=form.config,
    )
    messages.success(request, f"{made.name} is there. Test it, then choose it on an agent's page.")
    return redirect(made)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@workspace_view(Role.ADMIN)
def tool(request: WorkspaceRequest, tool_id: str) -> HttpResponse:
    found = get_tool(request.organization, tool_id)
    form = FORMS[found.kind](request.POST or None, organization=request.organization, tool=found)
    if not form.is_valid():
        return _page(request, form, found)
    services.tool_update(
        tool=found,
        actor=request.user,
        name=form.cleaned_data["name"],
        description=form.cleaned_data["description"],
        config=form.config,
    )
    messages.success(request, "Saved. New calls use it from now on.")
    return redirect(found)


def _page(request: WorkspaceRequest, form: ToolForm, found: Tool | None = None) -> HttpResponse:
    context = {
        "form": form,
        "tool": found,
        "kind": Tool.Kind(form.kind).label,
        "agents": selectors.agents_using(found) if found else [],
    }
    return render(request, "builder/tools/tool.html", context, status=422 if form.is_bound else 200)


@require_POST
@workspace_view(Role.ADMIN)
def tool_delete(request: WorkspaceRequest, tool_id: str) -> HttpResponse:
    found = get_tool(request.organization, tool_id)
    services.tool_delete(tool=found, actor=request.user)
    messages.success(request, f"{found.name} is deleted.")
    return redirect("tools", workspace=request.organization.slug)


@never_cache
@sensitive_post_parameters("value")
@require_http_methods(["GET", "HEAD", "POST"])
@workspace_view(Role.ADMIN)
def secrets(request: WorkspaceRequest) -> HttpResponse:
    """The list, and a form that stores one or replaces its value."""
    form = SecretForm(request.POST or None)
    if not form.is_valid():
        context = {"form": form, "secrets": selectors.secret_list(request.organization)}
        return render(request, "builder/tools/secrets.html", context, status=422 if form.is_bound else 200)
    made = services.secret_set(organization=request.organization, actor=request.user, **form.cleaned_data)
    messages.success(request, f"{made.name} is stored. New calls use it from now on.")
    return redirect("secrets", workspace=request.organization.slug)


@require_POST
@workspace_view(Role.ADMIN)
def secret_delete(request: WorkspaceRequest, secret_id: str) -> HttpResponse:
    found = get_secret(request.organization, secret_id)
    services.secret_delete(secret=found, actor=request.user)
    messages.success(request, f"{found.name} is deleted.")
    return redirect("secrets", workspace=request.organization.slug)
