"""What a call is made with: the models of this process, when they are there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from builder.compile import CompiledAgent
from builder.engine import llm_for, local_models
from core.errors import ApiError, ErrorCode
from voice.brain import llm_brain
from voice.chain import ChatModel
from voice.health import Health
from voice.media.pacer import Pacer
from voice.services import Services, voice_chain
from voice.speech import PhraseCache

if TYPE_CHECKING:
    from voice.providers.local import ModelsStatus


class Providers:
    """Gives a call its services. Made and used on the event loop, but for `require_ready`."""

    def __init__(self) -> None:
        self._models = local_models()
        self._pacer = Pacer()
        self._phrases = PhraseCache()
        self._health = Health()

    def require_ready(self, compiled: CompiledAgent) -> None:
        """Raises ApiError while a model that the agent needs is not there. May be called in any thread."""
        require_models(self._models.status, local_llm=compiled.endpoint is None)

    def services(self, compiled: CompiledAgent) -> Services:
        return Services(
            stt=[self._models.stt],
            voices=voice_chain([self._models.tts, self._models.light_tts], compiled.spec.voice),
            brain=llm_brain([ChatModel.of(llm_for(compiled), compiled.spec.model)], health=self._health),
            health=self._health,
            vad=self._models.vad,
            end_of_turn=self._models.end_of_turn,
            pacer=self._pacer,
            phrases=self._phrases,
        )


def require_models(status: ModelsStatus, *, local_llm: bool) -> None:
    """Raises ApiError (models loading; conflict where waiting would not help) that says what is missing."""
    if status.can_talk_locally or (status.can_talk and not local_llm):
        return
    if not status.connected:
        raise ApiError(
            ErrorCode.MODELS_LOADING,
            "The models are not there yet",
            "The speech models are being started. Try again in a few seconds.",
        )
    llm = next((part for part in status.components if part.name == "llm"), None)
    if status.can_talk and llm is not None and llm.state == "off":
        raise ApiError(
            ErrorCode.CONFLICT,
            "There is no local language model",
            "This server runs without one. Choose a model connection on the agent's page.",
        )
    # Of the voices one is enough.
    needed = {"vad", "turn", "stt", "tts", "piper", *(("llm",) if local_llm else ())}
    missing = [part for part in status.components if part.name in needed and part.state not in ("ready", "off")]
    if status.is_ready("tts") or status.is_ready("piper"):
        missing = [part for part in missing if part.name not in ("tts", "piper")]
    broken = [part for part in missing if part.state == "failed"]
    if broken:
        what = "; ".join(f"{part.label}: {part.message or 'failed'}" for part in broken)
        raise ApiError(ErrorCode.MODELS_LOADING, "A model failed to load", what)
    still = ", ".join(f"{part.label.lower()}{_progress(part.done, part.total)}" for part in missing)
    raise ApiError(ErrorCode.MODELS_LOADING, "The models are still loading", f"Still to come: {still}.")


def _progress(done: int, total: int) -> str:
    return f" ({100 * done // total} %)" if 0 < done < total else ""
