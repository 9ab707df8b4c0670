"""Trying the web hook of a draft before a call does."""

from __future__ import annotations

import json

from asgiref.sync import async_to_sync
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from accounts.access import WorkspaceRequest, workspace_view
from accounts.models import Role
from builder import limits, webhook
from builder.access import get_agent
from builder.compile import AgentNotReady, bound_webhook


@never_cache
@require_POST
@workspace_view(Role.MEMBER)
def agent_webhook_test(request: WorkspaceRequest, agent_id: str) -> HttpResponse:
    """Ask it as a test call would, and show what went over the wire."""
    found = get_agent(request.organization, agent_id)
    limits.require("webhook_test", request.user, times=20, seconds=60)
    config = found.draft_config
    context = {"agent": found, "problem": "", "asked": None}
    try:
        hook = bound_webhook(found.organization_id, config)
    except AgentNotReady as error:
        hook, context["problem"] = None, str(error)
    if hook is None:
        context["problem"] = context["problem"] or "Write its address first."
        return render(request, "builder/_webhook_test.html", context, status=422)
    known = {
        **config.test_values,
        "system__call_id": "call_test",
        "system__agent_id": found.pk,
        "system__agent_name": found.name,
        "system__channel": "browser",
        "system__call_direction": "inbound",
    }
    _, asked = async_to_sync(webhook.ask)(hook, known, config.variables)
    context |= {"asked": asked, "sent": _pretty(asked.request), "answer": _pretty(asked.answer)}
    return render(request, "builder/_webhook_test.html", context)


def _pretty(data: object) -> str:
    return json.dumps(data, indent=2, ensure_ascii=False) if data is not None else ""
