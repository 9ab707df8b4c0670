"""The library of voices."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import WorkspaceRequest, may, workspace_view
from accounts.models import Role
from builder import engine, limits
from builder.access import get_connection
from builder.forms import PreviewForm
from builder.library import services
from builder.library.forms import FilterForm, UseForm, VoiceForm
from builder.library.selectors import library
from builder.selectors import account_voices
from builder.views.voice import preview
from core.errors import ApiError, ErrorCode
from voice.providers.base import ProviderError

SHOWN = 100


@never_cache
@require_safe
@workspace_view()
def voices(request: WorkspaceRequest) -> HttpResponse:
    """The voices that fit the filter; for htmx the results alone."""
    listed = library(request.organization)
    form = FilterForm(request.GET, library=listed)
    found = listed.chosen(form.wanted)
    context = {
        "filter_form": form,
        "accounts": listed.accounts,
        "voices": found[:SHOWN],
        "count": len(found),
        "more": len(found) - SHOWN,
        "may_edit": may(request.role, Role.MEMBER),
        "speech": engine.speech_notice(),
    }
    part = "#results" if request.htmx else ""
    return render(request, f"builder/library/voices.html{part}", context)


@require_POST
@workspace_view(Role.MEMBER)
def voices_fetch(request: WorkspaceRequest, connection_id: str) -> HttpResponse:
    """Ask a vendor for the voices of the account."""
    found = get_connection(request.organization, connection_id)
    limits.require("connection_voices", request.user, times=60, seconds=60)
    try:
        count = len(account_voices(found))
    except ProviderError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"{found.name} has {count} voice{'' if count == 1 else 's'}.")
    return redirect("voices", workspace=request.organization.slug)


@never_cache
@require_POST
@workspace_view(Role.MEMBER)
def voice_preview(request: WorkspaceRequest) -> HttpResponse:
    """`text` in `voice` of `connection` at `speed`, as WAV."""
    return preview(request.user, PreviewForm(request.POST, organization=request.organization), language="en")


@require_POST
@workspace_view(Role.MEMBER)
def voice_favourite(request: WorkspaceRequest) -> HttpResponse:
    """Mark a voice, or take the mark off; the answer is its button as it now is."""
    form = VoiceForm(request.POST, library=library(request.organization))
    if not form.is_valid():
        raise ApiError(ErrorCode.VALIDATION_FAILED, "No such voice", "This voice is not in the library any more.")
    marked = services.voice_mark(
        organization=request.organization, actor=request.user, connection=form.chosen.source, voice=form.chosen.id
    )
    if not request.htmx:
        return redirect("voices", workspace=request.organization.slug)
    return render(request, "builder/library/_favourite.html", {"voice": form.chosen, "marked": marked})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@workspace_view(Role.MEMBER)
def voice_use(request: WorkspaceRequest) -> HttpResponse:
    """Choose the agent that is to speak with the voice `voice` of `connection`."""
    if request.method != "POST" and "voice" not in request.GET:
        return redirect("voices", workspace=request.organization.slug)
    listed = library(request.organization)
    if request.method == "POST":
        form = UseForm(request.POST, library=listed, organization=request.organization)
        if form.is_valid():
            chosen = form.chosen
            agent = services.voice_use(
                agent=form.cleaned_data["agent"], actor=request.user, connection=chosen.source, voice=chosen.id
            )
            messages.success(request, f"The draft speaks with {chosen.label} now. Publish it, and callers hear it too.")
            return redirect(agent)
        voice = getattr(form, "chosen", None)
    else:
        form = UseForm(None, library=listed, organization=request.organization)
        voice = listed.find(request.GET.get("connection", ""), request.GET.get("voice", ""))
    if voice is None:
        raise Http404("No such voice.")
    context = {"form": form, "voice": voice}
    return render(request, "builder/library/use.html", context, status=422 if form.is_bound else 200)
