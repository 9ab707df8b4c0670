"""The pages of usage and of costs, and what an agent's next calls are expected to cost."""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.access import WorkspaceRequest, workspace_view
from billing.reports.selectors import counted_until
from builder.access import get_agent
from core.snippets import api_get
from telephony.reports import costs as costing
from telephony.reports import export, selectors
from telephony.reports.forecast import PUBLISHED_FOR, publish_forecast
from telephony.reports.forms import PeriodForm


@never_cache
@require_safe
@workspace_view()
def usage(request: WorkspaceRequest) -> HttpResponse:
    """Calls, minutes and costs by time, and by what `by` says. htmx gets the results without the page around them."""
    form = PeriodForm(request.GET, organization=request.organization)
    window, agent_id = form.window, form.agent_id
    by = request.GET.get("by", "")
    by = by if by in selectors.GROUPS else "agent"
    page = selectors.usage_page(request.organization, window, by=by, agent_id=agent_id)
    span = {"start_ts": f"{window.start}T00:00:00Z", "end_ts": f"{window.end}T00:00:00Z"}
    asked = {**span, "interval": page.interval.value}
    context = {
        "form": form,
        "window": window,
        "page": page,
        "by": by,
        "groups": selectors.GROUPS,
        "measures": {"cost": "Cost", "minutes": "Minutes", "calls": "Calls"},
        "query": form.query,
        "csv_query": urlencode({**form.query, "by": by}),
        "counted_until": counted_until(),
        "snippet": api_get(request, "/usage/agents", asked, key="CALLWRIGHT_ADMIN_KEY"),
    }
    return render(request, _page(request, "telephony/reports/usage.html"), context)


@require_safe
@workspace_view()
def usage_csv(request: WorkspaceRequest) -> HttpResponseBase:
    """The page of usage as a file: by component where it is parted by capability, by call where it is not."""
    form = PeriodForm(request.GET, organization=request.organization)
    window = form.window
    written = export.components_csv if request.GET.get("by") == "capability" else export.calls_csv
    name = f"usage-{request.organization.slug}-{window.start}-{window.last}.csv"
    return StreamingHttpResponse(
        written(request.organization, window, agent_id=form.agent_id),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@never_cache
@require_safe
@workspace_view()
def costs(request: WorkspaceRequest) -> HttpResponse:
    """What a minute and a call cost, by how calls ended and by agent, and with other models."""
    organization = request.organization
    form = PeriodForm(request.GET, organization=organization)
    window, agent_id = form.window, form.agent_id
    what_if_form = costing.WhatIfForm(request.GET, organization=organization)
    agents, total = costing.agents(organization, window, agent_id=agent_id)
    context = {
        "form": form,
        "what_if_form": what_if_form,
        "chosen": what_if_form.chosen,
        "total": total,
        "agents": agents,
        "outcomes": costing.outcomes(organization, window, agent_id=agent_id),
        "what_if": costing.what_if(organization, window, what_if_form, seconds=total.seconds, agent_id=agent_id),
    }
    return render(request, _page(request, "telephony/reports/costs.html"), context)


@never_cache
@require_safe
@workspace_view()
def agent_forecast(request: WorkspaceRequest, agent_id: str) -> HttpResponse:
    """What the draft's next calls will cost, for the sheet on which it is published."""
    agent = get_agent(request.organization, agent_id)
    asked = {"agent_id": agent.pk, "recipients": str(PUBLISHED_FOR)}
    context = {
        "forecast": publish_forecast(agent),
        "live": agent.live_version,
        "calls": PUBLISHED_FOR,
        "snippet": api_get(request, "/forecast/batch", asked, key="CALLWRIGHT_API_KEY"),
    }
    return render(request, "telephony/reports/_forecast.html", context)


def _page(request: WorkspaceRequest, template: str) -> str:
    """The template, or the results alone where htmx asks for a part of the page."""
    whole = not request.htmx or request.htmx.boosted or request.htmx.history_restore_request
    return template if whole else f"{template}#results"
