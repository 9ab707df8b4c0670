"""The library of voices."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import WorkspaceRequest, may, workspace_view
from accounts.models import Role
from builder import engine, limits
from builder.access import get_connection
from builder.forms import PreviewForm
from builder.gallery import services
from builder.gallery.files import UnusableVoice
from builder.gallery.forms import AddForm, FilterForm, UploadForm, UseForm, VoiceForm
from builder.gallery.selectors import library
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
        "may_upload": may(request.role, Role.ADMIN),
        "speech": engine.speech_notice(),
    }
    part = "#results" if request.htmx else ""
    return render(request, f"builder/gallery/voices.html{part}", context)


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
    return render(request, "builder/gallery/_favourite.html", {"voice": form.chosen, "marked": marked})


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
    return render(request, "builder/gallery/use.html", context, status=422 if form.is_bound else 200)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@workspace_view(Role.MEMBER)
def voice_bring(request: WorkspaceRequest) -> HttpResponse:
    """Bring a voice: upload a file, which POST does (admins), or add one of a connection by its id."""
    posted = request.method == "POST"
    if posted and not may(request.role, Role.ADMIN):
        raise PermissionDenied("Only admins upload voices.")
    form = UploadForm(
        request.POST if posted else None, request.FILES if posted else None, organization=request.organization
    )
    if form.is_valid():
        limits.require("voice_upload", request.user, times=10, seconds=60)
        data = form.cleaned_data
        try:
            made = services.voice_file_create(
                organization=request.organization,
                actor=request.user,
                name=data["name"],
                kind=data["kind"],
                gender=data["gender"],
                file=data["file"].chunks(),
                config=data["config"].read() if data["config"] else b"",
            )
        except UnusableVoice as error:
            form.add_error("file", str(error))
        else:
            messages.success(request, f"{made.name} speaks. Listen to it here, and use it on an agent.")
            return redirect("voices", workspace=request.organization.slug)
    return _bring_page(request, upload=form)


@require_POST
@workspace_view(Role.MEMBER)
def voice_add(request: WorkspaceRequest) -> HttpResponse:
    """List a voice of a connection by its id."""
    form = AddForm(request.POST, library=library(request.organization))
    if not form.is_valid():
        return _bring_page(request, add=form)
    data = form.cleaned_data
    connection = form.accounts[data.pop("connection")]
    added = services.voice_add(connection=connection, actor=request.user, **data)
    messages.success(request, f"{added.label} is in the library. Listen to it: that shows whether the id is right.")
    return redirect("voices", workspace=request.organization.slug)


def _bring_page(
    request: WorkspaceRequest, *, upload: UploadForm | None = None, add: AddForm | None = None
) -> HttpResponse:
    context = {
        "upload": upload or UploadForm(organization=request.organization),
        "add": add or AddForm(library=library(request.organization)),
        "may_upload": may(request.role, Role.ADMIN),
    }
    bound = any(form is not None and form.is_bound for form in (upload, add))
    return render(request, "builder/gallery/bring.html", context, status=422 if bound else 200)


@require_POST
@workspace_view(Role.MEMBER)
def voice_remove(request: WorkspaceRequest, added_id: int) -> HttpResponse:
    """Take a voice that was added by its id off the list."""
    added = request.organization.added_voices.filter(pk=added_id).first()
    if added is None:
        raise Http404("No such voice.")
    services.voice_remove(added=added, actor=request.user)
    messages.success(request, f"{added.label} is off the list.")
    return redirect("voices", workspace=request.organization.slug)


@require_POST
@workspace_view(Role.ADMIN)
def voice_file_delete(request: WorkspaceRequest, voice_id: str) -> HttpResponse:
    file = request.organization.voice_files.filter(pk=voice_id).first()
    if file is None:
        raise Http404("No such voice.")
    services.voice_file_delete(file=file, actor=request.user)
    messages.success(request, f"{file.name} is deleted.")
    return redirect("voices", workspace=request.organization.slug)
