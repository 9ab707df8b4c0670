"""Choosing recognition, language model and voice of an agent at once."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from accounts.access import WorkspaceRequest, workspace_view
from accounts.models import Role
from builder import mixes, services
from builder.access import get_agent


@require_POST
@workspace_view(Role.MEMBER)
def agent_mix(request: WorkspaceRequest, agent_id: str) -> HttpResponse:
    """Put the services of the mix `mix` into the draft."""
    found = get_agent(request.organization, agent_id)
    chosen = mixes.offer(request.organization, found.draft_config, request.POST.get("mix", ""))
    if chosen is None:
        raise Http404("No such mix.")
    services.agent_save_draft(
        agent=found, actor=request.user, name=found.name, config=chosen.config, revision=found.draft_revision
    )
    messages.success(request, " ".join(filter(None, (f"{chosen.mix.label}: {chosen.mix.hint.lower()}.", chosen.lacks))))
    return redirect(found)
