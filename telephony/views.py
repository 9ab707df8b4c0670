"""The pages about calls, their recordings and events, and the health pill."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.access import WorkspaceRequest, may, workspace_view
from accounts.models import Role
from builder import mixes
from builder.access import get_agent
from core.downloads import file_response
from telephony import recordings, selectors, services
from telephony.access import get_call
from telephony.estimates import estimate
from telephony.filters import CallFilter
from telephony.health import health
from voice.media.archive import ArchiveError


@never_cache
@require_safe
@workspace_view()
def calls(request: WorkspaceRequest) -> HttpResponse:
    """The list of calls. htmx gets its results without the page around them."""
    everything = selectors.calls_of(request.organization)
    chosen = CallFilter(request.GET, queryset=everything, organization=request.organization)
    cursor = request.GET.get("cursor", "")
    rows, next_cursor = selectors.page_of(chosen.qs, cursor)
    kept = {name: request.GET[name] for name in chosen.filters if request.GET.get(name)}
    here = reverse("calls", args=[request.organization.slug])
    context = {
        "calls": rows,
        "filter_form": chosen.form,
        "filtered": chosen.is_set,
        "chips": chosen.chips(here),
        "has_calls": bool(rows) or everything.exists(),
        "older_url": f"{here}?{urlencode({**kept, 'cursor': next_cursor})}" if next_cursor else "",
        "newest_url": f"{here}?{urlencode(kept)}".rstrip("?") if cursor else "",
    }
    return render(request, "telephony/calls.html#results" if _is_part(request) else "telephony/calls.html", context)


@never_cache
@require_safe
@workspace_view()
def call(request: WorkspaceRequest, call_id: str) -> HttpResponse:
    """One call. htmx gets what is under the title, which asks again while the call is live."""
    context = {
        "page": selectors.call_page(get_call(request.organization, call_id)),
        "may_delete": may(request.role, Role.ADMIN),
    }
    return render(request, "telephony/_call_page.html" if _is_part(request) else "telephony/call.html", context)


@require_safe
@workspace_view()
def call_recording(request: WorkspaceRequest, call_id: str) -> HttpResponseBase:
    """The recording of a call that is over, or the part of it that the player asks for."""
    path = _recording(request, call_id)
    return file_response(request, path, content_type=recordings.KINDS[path.suffix], name=path.name)


@require_safe
@workspace_view()
def call_outline(request: WorkspaceRequest, call_id: str) -> HttpResponse:
    """How loud the recording is over time, for the player to draw: see `voice.media.archive.outline`."""
    try:
        drawn = recordings.outline_of(_recording(request, call_id))
    except (ArchiveError, OSError) as error:
        raise Http404("This recording cannot be read.") from error
    return HttpResponse(
        drawn, content_type="application/octet-stream", headers={"Cache-Control": "private, max-age=3600"}
    )


def _recording(request: WorkspaceRequest, call_id: str) -> Path:
    path = selectors.recording_of(get_call(request.organization, call_id))
    if path is None:
        raise Http404("This call has no recording.")
    return path


@never_cache
@require_safe
@workspace_view()
def call_events(request: WorkspaceRequest, call_id: str) -> HttpResponse:
    """The call's events as a file."""
    found = get_call(request.organization, call_id)
    numbered = selectors.events_after(found, -1)
    body = {"call": found.pk, "events": [{"sequence": sequence, **event} for sequence, event in numbered]}
    name = f"{found.pk}-events.json"
    return JsonResponse(body, headers={"Content-Disposition": f'attachment; filename="{name}"'})


@require_POST
@workspace_view(Role.ADMIN)
def call_delete(request: WorkspaceRequest, call_id: str) -> HttpResponse:
    services.call_delete(call=get_call(request.organization, call_id), actor=request.user)
    messages.success(request, "The call and its recording are deleted.")
    return redirect("calls", workspace=request.organization.slug)


@never_cache
@never_cache
@require_safe
@workspace_view()
def agent_estimate(request: WorkspaceRequest, agent_id: str) -> HttpResponse:
    """What an answer of the draft takes and a minute costs: a part of the agent's page."""
    found = get_agent(request.organization, agent_id)
    offers = mixes.offers(request.organization, found.draft_config)
    chosen = next((offer for offer in offers if offer.is_set), None)
    context = {
        "agent": found,
        "estimate": estimate(found),
        "offers": offers,
        "customised": chosen is None,
        "lacks": chosen.lacks if chosen else "",
        "may_edit": may(request.role, Role.MEMBER),
    }
    return render(request, "telephony/_estimate.html", context)


@require_safe
@workspace_view()
def status(request: WorkspaceRequest) -> HttpResponse:
    """The health pill."""
    return render(request, "telephony/_status.html", {"health": health(request.organization)})


def _is_part(request: WorkspaceRequest) -> bool:
    """Does htmx ask for a part of the page, rather than for a page to go to?"""
    return bool(request.htmx) and not request.htmx.boosted and not request.htmx.history_restore_request
