"""Tools from an OpenAPI document: it is brought, then its operations are chosen."""

from __future__ import annotations

import json

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts.access import WorkspaceRequest, workspace_view
from accounts.models import Role
from builder import limits, shelf
from builder.documents import read
from builder.tools import services
from builder.tools.openapi.forms import ApiForm, OperationsForm
from builder.tools.openapi.operations import read_api


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@workspace_view(Role.ADMIN)
def tool_openapi(request: WorkspaceRequest) -> HttpResponse:
    """Takes a document."""
    if request.method == "POST":
        limits.require("tool_openapi", request.user, times=20, seconds=60)
    form = ApiForm(request.POST, request.FILES) if request.method == "POST" else ApiForm()
    if not form.is_valid():
        return render(request, "builder/tools/openapi.html", {"form": form}, status=422 if form.is_bound else 200)
    kept = json.dumps({"text": form.text, "found_at": form.found_at})
    key = shelf.put(kept, organization=request.organization, user=request.user)
    return redirect(f"{reverse('tool_operations', args=[request.organization.slug])}?document={key}")


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@workspace_view(Role.ADMIN)
def tool_operations(request: WorkspaceRequest) -> HttpResponse:
    """Shows what the document that `?document=` says describes, and makes tools of what is chosen."""
    key = request.GET.get("document", "")
    kept = shelf.get(key, organization=request.organization, user=request.user)
    if kept is None:
        messages.error(request, "The document is not there any more. Bring it once more.")
        return redirect("tool_openapi", workspace=request.organization.slug)
    brought = json.loads(kept)
    api = read_api(read(brought["text"]), found_at=brought["found_at"])
    known = set(request.organization.secrets.values_list("name", flat=True))
    form = OperationsForm(request.POST if request.method == "POST" else None, api=api, known=known)
    if not form.is_valid():
        chosen = form["operations"].value() or []
        context = {"form": form, "api": api, "chosen": chosen}
        return render(request, "builder/tools/operations.html", context, status=422 if form.is_bound else 200)
    made = services.tools_import(
        organization=request.organization, actor=request.user, imported=form.chosen, secrets=form.values
    )
    missing = sorted({name for tool in made for name in tool.parsed_config.secrets} - known - set(form.values))
    later = f" Enter {', '.join(missing)} under Secrets before you use them." if missing else ""
    count = "1 tool is" if len(made) == 1 else f"{len(made)} tools are"
    messages.success(request, f"{count} there.{later} Test them, then choose them on an agent's page.")
    return redirect("tools", workspace=request.organization.slug)
