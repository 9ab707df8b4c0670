"""The workspace's library of tools. Secrets go in and never come out."""

from __future__ import annotations

from typing import Any

from asgiref.sync import async_to_sync
from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import WorkspaceRequest, may, workspace_view
from accounts.models import Role
from builder import limits
from builder.access import get_secret, get_tool
from builder.tools import selectors, services, trial
from builder.tools.bind import BoundTool, ToolsNotReady
from builder.tools.forms import FORMS, ImportForm, SecretForm, ToolForm
from builder.tools.models import Tool
from builder.tools.samples import SampleForm
from voice.tools import ToolError


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
@sensitive_post_parameters("command")
@require_http_methods(["GET", "HEAD", "POST"])
@workspace_view(Role.ADMIN)
def tool_import(request: WorkspaceRequest) -> HttpResponse:
    """Makes a tool from a curl command; the keys in it become secrets."""
    form = ImportForm(request.POST or None)
    if not form.is_valid():
        return render(request, "builder/tools/import.html", {"form": form}, status=422 if form.is_bound else 200)
    imported = form.cleaned_data["command"]
    made = services.tool_import(organization=request.organization, actor=request.user, imported=imported)
    stored = " The keys in it are stored as secrets." if imported.secrets else ""
    messages.success(
        request, f"{made.name} is there.{stored} Write what it does, and choose which values the model writes."
    )
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
        **(_sample(found) if found else {}),
    }
    return render(request, "builder/tools/tool.html", context, status=422 if form.is_bound else 200)


def _sample(found: Tool, data: QueryDict | None = None) -> dict[str, Any]:
    """What the page needs to try a stored tool: `sample`, or the `problem` that stands in the way."""
    if found.kind == Tool.Kind.CLIENT:
        return {}
    try:
        bound = BoundTool.by(found)
    except ToolsNotReady as error:
        return {"problem": str(error)}
    schemas = async_to_sync(trial.schemas)(bound)
    if not schemas:
        return {"problem": "No tool of the server is chosen yet."}
    return {"sample": SampleForm(data, bound=bound, schemas=schemas), "bound": bound}


@require_POST
@workspace_view(Role.ADMIN)
def tool_listing(request: WorkspaceRequest, tool_id: str) -> HttpResponse:
    """Ask an MCP server what it has, and store that."""
    found = get_tool(request.organization, tool_id)
    limits.require("tool_test", request.user, times=20, seconds=60)
    try:
        listed = async_to_sync(BoundTool.by(found).listing)()
    except (ToolsNotReady, ToolError) as error:
        messages.error(request, str(error))
        return redirect(found)
    services.mcp_listed(tool=found, actor=request.user, listed=listed)
    messages.success(request, f"{found.name} has {len(listed)} tools. Tick those that agents get.")
    return redirect(found)


@require_POST
@workspace_view(Role.ADMIN)
def tool_test(request: WorkspaceRequest, tool_id: str) -> HttpResponse:
    """Run what is saved with sample arguments, and show what went over the wire and what the model would read."""
    found = get_tool(request.organization, tool_id)
    limits.require("tool_test", request.user, times=20, seconds=60)
    context = {"tool": found, **_sample(found, request.POST)}
    form = context.get("sample")
    if form is None or not form.is_valid():
        return render(request, "builder/tools/_test.html", context, status=422)
    tried = async_to_sync(trial.try_tool)(context["bound"], form.tool, form.arguments, form.variables)
    if not tried.failed:
        services.tool_tested(tool=found)
    context["trial"] = tried
    return render(request, "builder/tools/_test.html", context)


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
