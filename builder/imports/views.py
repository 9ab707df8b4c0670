"""Agents from elsewhere: a document is brought, what becomes of it is read, and then the agent is made."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import WorkspaceRequest, may, workspace_view
from accounts.models import Role
from builder import shelf
from builder.access import get_agent
from builder.imports import services
from builder.imports.draft import Around
from builder.imports.formats import LABELS, read_agent
from builder.imports.forms import AgentDocumentForm, NameForm
from builder.imports.models import AgentImport
from builder.references import Names


def _around(request: WorkspaceRequest) -> Around:
    connections = request.organization.model_connections.order_by("-created_at").values_list("vendor", "pk")
    return Around(dict(connections), for_admin=may(request.role, Role.ADMIN))


@never_cache
@sensitive_post_parameters("pasted")
@require_http_methods(["GET", "HEAD", "POST"])
@workspace_view(Role.MEMBER)
def agent_import(request: WorkspaceRequest) -> HttpResponse:
    """Takes a document."""
    brought = [request.POST, request.FILES] if request.method == "POST" else []
    form = AgentDocumentForm(*brought, around=_around(request), names=Names.of(request.organization))
    if not form.is_valid():
        context = {"form": form, "formats": LABELS.values()}
        return render(request, "builder/start/import.html", context, status=422 if form.is_bound else 200)
    key = shelf.put(form.text, organization=request.organization, user=request.user)
    return redirect(f"{reverse('agent_import_report', args=[request.organization.slug])}?document={key}")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@workspace_view(Role.MEMBER)
def agent_import_report(request: WorkspaceRequest) -> HttpResponse:
    """Shows what would become of the document that `?document=` says; a POST makes the agent."""
    key = request.GET.get("document", "")
    text = shelf.get(key, organization=request.organization, user=request.user)
    if text is None:
        messages.error(request, "The document is not there any more. Bring it once more.")
        return redirect("agent_import", workspace=request.organization.slug)
    imported = read_agent(text, _around(request), Names.of(request.organization))
    form = NameForm(request.POST if request.method == "POST" else None, initial={"name": imported.name})
    if not form.is_valid():
        context = {"form": form, "imported": imported, "report": imported.report, "format": LABELS[imported.format]}
        return render(request, "builder/start/report.html", context, status=422 if form.is_bound else 200)
    made = services.agent_import(
        organization=request.organization, actor=request.user, imported=imported, name=form.cleaned_data["name"]
    )
    messages.success(request, f"{made.name} is there. Talk to it, and publish it when it is as you want it.")
    return redirect(made)


@never_cache
@require_safe
@workspace_view()
def agent_origin(request: WorkspaceRequest, agent_id: str) -> HttpResponse:
    """What became of the document that an agent was made of; with `?as=csv` as a file."""
    agent = get_agent(request.organization, agent_id)
    origin = AgentImport.objects.filter(agent=agent).select_related("created_by").first()
    if origin is None:
        raise Http404("The agent was not imported.")
    if request.GET.get("as") == "csv":
        response = HttpResponse(origin.parsed_report.as_csv(), content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="import-{agent.pk}.csv"'
        return response
    label = LABELS.get(origin.format, origin.format)
    context = {"agent": agent, "origin": origin, "report": origin.parsed_report, "format": label}
    return render(request, "builder/start/origin.html", context)
