"""The background sounds: listen, bring one, delete one."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import WorkspaceRequest, may, workspace_view
from accounts.models import Role
from builder import limits
from builder.sounds import files, selectors, services
from builder.sounds.access import get_sound
from builder.sounds.forms import SoundForm
from builder.views.voice import wav
from voice.media.ambient import NAMES


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@workspace_view()
def sounds(request: WorkspaceRequest) -> HttpResponse:
    """The list; POST uploads one (members)."""
    may_edit, posted = may(request.role, Role.MEMBER), request.method == "POST"
    if posted and not may_edit:
        raise PermissionDenied("Viewers cannot do this.")
    form = SoundForm(
        request.POST if posted else None, request.FILES if posted else None, organization=request.organization
    )
    if posted and form.is_valid():
        limits.require("sound_upload", request.user, times=20, seconds=60)
        try:
            made = services.sound_create(
                organization=request.organization,
                actor=request.user,
                name=form.cleaned_data["name"],
                parts=form.cleaned_data["file"].chunks(),
            )
        except files.UnusableSound as error:
            form.add_error("file", str(error))
        else:
            messages.success(request, f"{made.name} can be heard behind agents now: choose it on their pages.")
            return redirect("sounds", workspace=request.organization.slug)
    context = {"sounds": selectors.sound_list(request.organization), "form": form, "may_edit": may_edit}
    return render(request, "builder/sounds/sounds.html", context, status=422 if form.is_bound else 200)


@require_safe
@workspace_view()
def sound_audio(request: WorkspaceRequest, sound_id: str) -> HttpResponse:
    """A loop as WAV: one of ours by its name, or one of the workspace by its id."""
    if sound_id not in NAMES:
        get_sound(request.organization, sound_id)
    try:
        made = files.loop(sound_id)
    except KeyError:
        raise Http404("The file is gone.") from None
    response = HttpResponse(wav(made.samples.tobytes()), content_type="audio/wav")
    response["Cache-Control"] = "private, max-age=3600"
    return response


@require_POST
@workspace_view(Role.MEMBER)
def sound_delete(request: WorkspaceRequest, sound_id: str) -> HttpResponse:
    found = get_sound(request.organization, sound_id)
    services.sound_delete(sound=found, actor=request.user)
    messages.success(request, f"{found.name} is deleted.")
    return redirect("sounds", workspace=request.organization.slug)
