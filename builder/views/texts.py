"""An agent as YAML: the page to write it on, the file, and the schema of both."""

from __future__ import annotations

from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.text import slugify
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.access import WorkspaceRequest, may, workspace_view
from accounts.models import Role
from builder import schema, yaml
from builder.access import get_agent
from builder.references import Names
from builder.views import drafts


@never_cache
@require_safe
@workspace_view()
def agent_yaml(request: WorkspaceRequest, agent_id: str) -> HttpResponse:
    """The page to write it on, or for viewers to read it."""
    found = get_agent(request.organization, agent_id)
    names = Names.of(request.organization)
    text = yaml.dump(found.name, found.draft_config, names)
    if not may(request.role, Role.MEMBER):
        context = {**drafts.reading_context(found, "YAML"), "text": text}
        return render(request, "builder/agent_yaml_read.html", context)
    context = {
        **drafts.page_context(request, found, "YAML"),
        "text": text,
        "schema": schema.of_agent(names),
        "longest": yaml.LONGEST,
    }
    return render(request, "builder/agent_yaml.html", context)


@never_cache
@require_safe
@workspace_view()
def agent_yaml_file(request: WorkspaceRequest, agent_id: str) -> HttpResponse:
    """The draft as a file."""
    found = get_agent(request.organization, agent_id)
    text = yaml.dump(found.name, found.draft_config, Names.of(request.organization))
    name = f"{slugify(found.name) or 'agent'}.yaml"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(text, content_type="application/yaml; charset=utf-8", headers=headers)


@require_safe
@workspace_view()
def agent_schema(request: WorkspaceRequest) -> HttpResponse:
    """The JSON Schema of an agent's file, with the names that this workspace has."""
    return JsonResponse(schema.of_agent(Names.of(request.organization)), json_dumps_params={"indent": 2})
