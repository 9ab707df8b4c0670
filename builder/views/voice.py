"""Hearing a voice before a caller does."""

from __future__ import annotations

import io
import wave

from asgiref.sync import async_to_sync
from django.http import HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from accounts.access import WorkspaceRequest, workspace_view
from accounts.models import Role, User
from builder import engine, limits
from builder.access import get_agent
from builder.compile import default_model
from builder.forms import PreviewForm
from builder.pronunciations.selectors import pronunciations
from builder.vendors import Access
from core.errors import ApiError, ErrorCode
from voice.media.pcm import Gain
from voice.providers.base import ProviderBusy, ProviderError
from voice.text.pronunciation import Lexicon

RATE = 16_000


@never_cache
@require_POST
@workspace_view(Role.MEMBER)
def agent_voice_preview(request: WorkspaceRequest, agent_id: str) -> HttpResponse:
    """`text` in `voice` at `speed`, said as the draft's dictionaries want it, as WAV."""
    found = get_agent(request.organization, agent_id)
    config = found.draft_config
    lexicon = Lexicon(pronunciations(found.organization_id, config.pronunciations))
    form = PreviewForm(request.POST, organization=request.organization)
    return preview(request.user, form, language=config.language, lexicon=lexicon)


def preview(user: User, form: PreviewForm, *, language: str, lexicon: Lexicon | None = None) -> HttpResponse:
    """The words of the form as WAV. Says in the error which models are still loading, if they are. Raises ApiError."""
    if not form.is_valid():
        message = next(iter(next(iter(form.errors.values()))))
        raise ApiError(ErrorCode.VALIDATION_FAILED, "Nothing to play", str(message))
    limits.require("voice_preview", user, times=20, seconds=60)
    try:
        pcm = Gain(form.cleaned_data["volume"] or 1.0).process(
            _spoken(form, language=language, lexicon=lexicon or Lexicon())
        )
    except ProviderBusy as error:
        raise ApiError(ErrorCode.RATE_LIMITED, "The voices are busy", str(error)) from None
    except ProviderError as error:
        loading = form.chosen is None and not engine.models_status().is_ready("piper")
        code = ErrorCode.MODELS_LOADING if loading else ErrorCode.PROVIDER_FAILED
        raise ApiError(code, "The voice cannot speak yet" if loading else "The voice failed", str(error)) from None
    return HttpResponse(wav(pcm), content_type="audio/wav")


def _spoken(form: PreviewForm, *, language: str, lexicon: Lexicon) -> bytes:
    """Raises ProviderError."""
    text = form.cleaned_data["text"]
    how = {"language": language, "lexicon": lexicon, **{name: form.cleaned_data[name] for name in ("voice", "speed")}}
    if form.chosen is None:
        return engine.speak(text, **how)
    model = form.cleaned_data["model"] or default_model(form.chosen, "tts")
    return async_to_sync(engine.say)(Access.by(form.chosen), model, text, **how)


def wav(pcm: bytes) -> bytes:
    """Engine audio as a WAV file."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(pcm)
    return buffer.getvalue()
