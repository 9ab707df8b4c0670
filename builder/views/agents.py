"""The list of agents, and the page on which one is written. The draft is saved as it is typed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.access import WorkspaceRequest, may, workspace_view
from accounts.models import Role
from builder import engine, selectors, services
from builder.access import get_agent
from builder.changes import settings_of
from builder.forms import AgentForm
from builder.gallery.selectors import voice_groups
from builder.measures.selectors import prompt_speed
from builder.problems import Problem
from builder.views import drafts


@never_cache
@require_safe
@workspace_view()
def agents(request: WorkspaceRequest) -> HttpResponse:
    context = {"agents": selectors.agent_list(request.organization), "may_edit": may(request.role, Role.MEMBER)}
    return render(request, "builder/agents.html", context)


@never_cache
@require_safe
@workspace_view()
def agent(request: WorkspaceRequest, agent_id: str) -> HttpResponse:
    """The agent's page: to edit for members, to read for viewers."""
    found = get_agent(request.organization, agent_id)
    if not may(request.role, Role.MEMBER):
        context: dict[str, Any] = {
            **drafts.reading_context(found, "Guide"),
            "problem": selectors.problem(found),
            "settings": settings_of(found.draft_config),
        }
        return render(request, "builder/agent_read.html", context)
    context = {
        **drafts.page_context(request, found, "Guide"),
        "form": AgentForm(organization=request.organization, agent=found),
        "voice_groups": voice_groups(request.organization),
        "connection_facts": selectors.connection_facts(request.organization),
        "speech": engine.speech_notice(),
        "local_model_is_off": settings.LLM == "none",
        "prompt_speed": prompt_speed(request.organization),
        "talk_at_once": "talk" in request.GET,
    }
    return render(request, "builder/agent.html", context)


@require_POST
@workspace_view(Role.MEMBER)
def agent_save(request: WorkspaceRequest, agent_id: str) -> HttpResponse:
    """Save the draft from the form of its page. Answers as `drafts.save` does; 422 has `fields`, the messages by the
    name of the control."""
    found = get_agent(request.organization, agent_id)
    form = AgentForm(request.POST, organization=request.organization, agent=found)
    if not form.is_valid():
        fields = {name: " ".join(map(str, errors)) for name, errors in form.errors.items()}
        return drafts.refused(request, "Some settings cannot be as they are.", fields=fields)
    return drafts.save(request, found, name=form.cleaned_data["name"], config=form.config, form=form, said=_by_control)


def _by_control(found: Sequence[Problem]) -> dict[str, Any]:
    return {"fields": {each.control: each.text for each in found}}


@require_POST
@workspace_view(Role.MEMBER)
def agent_duplicate(request: WorkspaceRequest, agent_id: str) -> HttpResponse:
    made = services.agent_duplicate(agent=get_agent(request.organization, agent_id), actor=request.user)
    messages.success(request, "This is the copy. It takes calls once you publish it.")
    return redirect(made)


@require_POST
@workspace_view(Role.MEMBER)
def agent_delete(request: WorkspaceRequest, agent_id: str) -> HttpResponse:
    found = get_agent(request.organization, agent_id)
    services.agent_delete(agent=found, actor=request.user)
    messages.success(request, f"{found.name} is deleted. Its calls are still in the list of calls.")
    return redirect("agents", workspace=request.organization.slug)
