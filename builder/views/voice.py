"""Hearing a voice before a caller does."""

from __future__ import annotations

import io
import wave

from asgiref.sync import async_to_sync
from django.http import HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from accounts.access import WorkspaceRequest, workspace_view
from accounts.models import Role
from builder import engine, limits
from builder.access import get_agent
from builder.compile import Access, default_model
from builder.forms import PreviewForm
from core.errors import ApiError, ErrorCode
from voice.providers.base import ProviderBusy, ProviderError

RATE = 16_000


@never_cache
@require_POST
@workspace_view(Role.MEMBER)
def agent_voice_preview(request: WorkspaceRequest, agent_id: str) -> HttpResponse:
    """`text` in `voice` at `speed`, as WAV. Says in the error which models are still loading, if they are."""
    found = get_agent(request.organization, agent_id)
    form = PreviewForm(request.POST, organization=request.organization)
    if not form.is_valid():
        message = next(iter(next(iter(form.errors.values()))))
        raise ApiError(ErrorCode.VALIDATION_FAILED, "Nothing to play", str(message))
    limits.require("voice_preview", request.user, times=20, seconds=60)
    try:
        pcm = _spoken(form, language=found.draft_config.language)
    except ProviderBusy as error:
        raise ApiError(ErrorCode.RATE_LIMITED, "The voices are busy", str(error)) from None
    except ProviderError as error:
        loading = form.chosen is None and not engine.models_status().is_ready("piper")
        code = ErrorCode.MODELS_LOADING if loading else ErrorCode.PROVIDER_FAILED
        raise ApiError(code, "The voice cannot speak yet" if loading else "The voice failed", str(error)) from None
    return HttpResponse(_wav(pcm), content_type="audio/wav")


def _spoken(form: PreviewForm, *, language: str) -> bytes:
    """Raises ProviderError."""
    text, voice, speed = (form.cleaned_data[name] for name in ("text", "voice", "speed"))
    if form.chosen is None:
        return engine.speak(text, voice=voice, speed=speed, language=language)
    model = form.cleaned_data["model"] or default_model(form.chosen, "tts")
    say = async_to_sync(engine.say)
    return say(Access.by(form.chosen), model, text, voice=voice, speed=speed, language=language)


def _wav(pcm: bytes) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(pcm)
    return buffer.getvalue()
