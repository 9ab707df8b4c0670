"""What is wrong with a draft, for its page, which asks again whenever it was saved."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.access import WorkspaceRequest, workspace_view
from builder.access import get_agent
from builder.problems import problems


@never_cache
@require_safe
@workspace_view()
def agent_problems(request: WorkspaceRequest, agent_id: str) -> HttpResponse:
    """The list, as a part of the agent's page."""
    found = get_agent(request.organization, agent_id)
    return render(request, "builder/_problems.html", {"agent": found, "problems": problems(found)})
