"""What looks across all the apps: the command palette."""

from __future__ import annotations

from django.http import JsonResponse
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.access import WorkspaceRequest, may, workspace_view
from accounts.models import Organization, Role
from builder.models import Agent

MAX_AGENTS = 200


@never_cache
@require_safe
@workspace_view()
def palette(request: WorkspaceRequest) -> JsonResponse:
    """Where one can go and what one can do from here.

    `{items: [{label, hint, href} or {label, hint, action}], call: path of a call's page with {id} in it}`.
    The actions are those of frontend/app/palette.js.
    """
    slug = request.organization.slug
    items = [
        *_pages(slug),
        *_agents(request.organization, may_edit=may(request.role, Role.MEMBER)),
        *_other_workspaces(request),
        {"label": "Toggle theme", "hint": "Light or dark", "action": "theme"},
        {"label": "Sign out", "hint": str(request.user), "action": "sign-out"},
    ]
    return JsonResponse({"items": items, "call": reverse("call", args=[slug, "CALL"]).replace("CALL", "{id}")})


def _pages(slug: str) -> list[dict[str, str]]:
    return [
        {"label": "Agents", "hint": "Page", "href": reverse("agents", args=[slug])},
        {"label": "Calls", "hint": "Page", "href": reverse("calls", args=[slug])},
        {"label": "Tools", "hint": "Page", "href": reverse("tools", args=[slug])},
        {"label": "Knowledge", "hint": "Page", "href": reverse("knowledge", args=[slug])},
        {"label": "Connections", "hint": "Page", "href": reverse("connections", args=[slug])},
        {"label": "Workspace", "hint": "Page: name, members", "href": reverse("workspace", args=[slug])},
        {"label": "Usage", "hint": "Page: calls, minutes, costs", "href": reverse("usage", args=[slug])},
        {"label": "Costs", "hint": "Page: a minute, a call, what if", "href": reverse("costs", args=[slug])},
        {"label": "Billing", "hint": "Page: plan, balance, invoices", "href": reverse("billing", args=[slug])},
        {"label": "Prices", "hint": "Page: what the vendors charge", "href": reverse("prices", args=[slug])},
        {"label": "API keys", "hint": "Page: for programs", "href": reverse("api_keys", args=[slug])},
        {"label": "Your account", "hint": "Page: email, password", "href": reverse("account_email")},
        {"label": "Two-factor authentication", "hint": "Page: your account", "href": reverse("mfa_index")},
        {"label": "New workspace", "hint": "Create", "href": reverse("workspace_new")},
    ]


def _agents(organization: Organization, *, may_edit: bool) -> list[dict[str, str]]:
    """Each agent with its page, and for those who may call it, the way to talk to it."""
    slug = organization.slug
    items = [{"label": "New agent", "hint": "Create", "href": reverse("agent_new", args=[slug])}] if may_edit else []
    agents = Agent.objects.filter(organization=organization, deleted_at=None).values_list("id", "name")[:MAX_AGENTS]
    for agent_id, name in agents:
        page = reverse("agent", args=[slug, agent_id])
        items.append({"label": name, "hint": "Agent", "href": page})
        if may_edit:
            items.append({"label": f"Talk to {name}", "hint": "Test call", "href": f"{page}#talk"})
    return items


def _other_workspaces(request: WorkspaceRequest) -> list[dict[str, str]]:
    others = request.user.organizations.exclude(pk=request.organization.pk).order_by("name")
    return [
        {"label": f"Switch to {other.name}", "hint": "Workspace", "href": reverse("agents", args=[other.slug])}
        for other in others
    ]
