"""An agent as a flow: its steps as a picture, to be changed there."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.access import WorkspaceRequest, may, workspace_view
from accounts.models import Role
from builder import schema
from builder.access import get_agent
from builder.references import Names
from builder.views import drafts

STEPS = {
    "Conversation": [
        ("conversation", "Conversation", "message-square", "The model talks until a route is taken."),
        ("say", "Say", "volume-2", "Words, exactly so."),
        ("collect", "Collect fields", "clipboard-list", "Names, dates, numbers: asked for and read back."),
        ("menu", "Keypad menu", "grid-3x3", "Press 1 for…"),
        ("knowledge", "Knowledge answer", "book-open", "Answers from documents only."),
    ],
    "Decide and do": [
        ("branch", "Branch", "split", "By what is known."),
        ("set", "Set variables", "variable", "Keeps something for later."),
        ("tool", "Tool", "wrench", "Runs a tool without the model."),
        ("post", "Send to an address", "send-horizontal", "Posts what is known."),
        ("sms", "Text message", "message-square-text", "To the caller, or to somebody else."),
    ],
    "Pass on or end": [
        ("transfer", "Transfer", "phone-forwarded", "To a person."),
        ("handoff", "Hand-off", "handshake", "To another agent or step."),
        ("end", "End", "phone-off", "Says goodbye and hangs up."),
    ],
}
"""The kinds of steps, as (kind, title, icon, what it does)."""


@never_cache
@require_safe
@workspace_view()
def agent_flow(request: WorkspaceRequest, agent_id: str) -> HttpResponse:
    """The page to change it on, or for viewers to look at it. A plain agent is one conversation."""
    found = get_agent(request.organization, agent_id)
    names, config = Names.of(request.organization), found.draft_config.as_json()
    shown = {"names": names.by_id, "step_groups": STEPS}
    if not may(request.role, Role.MEMBER):
        context = {**drafts.reading_context(found, "Flow"), **shown, "flow": config["flow"]}
        return render(request, "builder/agent_flow_read.html", context)
    context = {
        **drafts.page_context(request, found, "Flow"),
        **shown,
        "config": config,
        "schema": schema.of_agent(names),
    }
    return render(request, "builder/agent_flow.html", context)
