"""What a call is made with: the providers that its agent chose, and the models of this process behind them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from builder.compile import CompiledAgent
from builder.engine import agent_for, llm_for, local_models, realtime_for, stt_for, tools_for, tts_for
from builder.knowledge.calls import knowledge_for
from builder.sounds.files import find_bed
from core.errors import ApiError, ErrorCode
from voice.brain import Brains
from voice.chain import ChatModel
from voice.flow.runner import agent_brain
from voice.health import Health
from voice.informed import informed
from voice.media.pacer import Pacer
from voice.providers.base import Stt
from voice.providers.vendor import CallFacts
from voice.services import Member, RealtimeServices, Services
from voice.spec import Voice
from voice.speech import PhraseCache, VoiceService
from voice.tools import Tool
from voice.tools.knowledge import KnowledgeTool

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
        require_models(self._models.status, needed_models(compiled))

    def services(self, compiled: CompiledAgent) -> Services | RealtimeServices:
        """What a call of the agent is made with, and those of the agents that it can come to."""
        team: dict[str, Member] = {}
        for key, other in compiled.team.items():
            services = self._services(other, team)
            if isinstance(services, Services):
                team[key] = Member(spec=other.spec, services=services)
        return self._services(compiled, team)

    def _services(self, compiled: CompiledAgent, team: Mapping[str, Member]) -> Services | RealtimeServices:
        answering = compiled.answering
        if answering is not None and answering.access is not None and answering.role == "realtime":
            return RealtimeServices(
                realtime=realtime_for(answering, answering.access),
                voice=compiled.voice,
                voices=self._voices(compiled),
                pacer=self._pacer,
                phrases=self._phrases,
                health=self._health,
                tools=[*tools_for(compiled.tools), *_lookup(compiled)],
                find_bed=find_bed,
            )
        return Services(
            stt=self._recognisers(compiled),
            voices=self._voices(compiled),
            brain=self._brains(compiled),
            health=self._health,
            vad=self._models.vad,
            end_of_turn=self._models.end_of_turn,
            pacer=self._pacer,
            phrases=self._phrases,
            tools=tools_for(compiled.tools),
            team=team,
            find_bed=find_bed,
        )

    def _brains(self, compiled: CompiledAgent) -> Brains:
        answering = compiled.answering
        if answering is not None and answering.access is not None:
            spec = compiled.spec
            facts = CallFacts(agent_id=compiled.agent_id, prompt=spec.prompt, greeting=spec.greeting)
            return informed(agent_for(answering, answering.access).brains(facts), knowledge_for(compiled))
        models = [ChatModel.of(llm_for(service), model) for service, model in compiled.models]
        return agent_brain(
            models,
            health=self._health,
            knowledge=knowledge_for(compiled),
            knowledge_of=lambda folders: knowledge_for(compiled, folders),
        )

    def _recognisers(self, compiled: CompiledAgent) -> list[Stt]:
        """Those of the agent; the local one is the last resort, if it is there."""
        chain = [stt_for(service) for service in compiled.hearing]
        if self._models.stt not in chain and self._models.status.is_ready("stt"):
            chain.append(self._models.stt)
        return chain

    def _voices(self, compiled: CompiledAgent) -> list[VoiceService]:
        """Those of the agent; the local ones are the last resort, if they are there."""
        chain = [VoiceService(tts=tts_for(service), voice=voice) for service, voice in compiled.voices]
        ours = next((known.voice for known in chain if known.tts is self._models.tts), None)
        if ours is None and self._models.status.is_ready("tts"):
            chain.append(VoiceService(tts=self._models.tts, voice=_our(compiled.spec.voice)))
        if ours is not None or self._models.status.is_ready("piper"):
            chain.append(VoiceService(tts=self._models.light_tts, voice=ours or _our(compiled.spec.voice)))
        return chain


def _our(voice: Voice) -> Voice:
    """Our own voice in place of `voice`, as fast and as loud."""
    return Voice(speed=voice.speed, volume=voice.volume)


def _lookup(compiled: CompiledAgent) -> list[Tool]:
    """How a model that hears for itself looks things up: nobody can put passages behind words that it only hears."""
    knowledge = knowledge_for(compiled)
    return [KnowledgeTool(knowledge, about=compiled.about or "this company")] if knowledge else []


def needed_models(compiled: CompiledAgent) -> set[str]:
    """The local models without which a call of the agent cannot begin: what stands behind them may be away."""
    if compiled.answering is not None and compiled.answering.role == "realtime":
        return set()
    first = {
        "stt": compiled.hearing[0],
        "tts": compiled.voices[0][0],
        "llm": compiled.answering or compiled.models[0][0],
    }
    return {"vad", "turn", *(name for name, service in first.items() if service.access is None)}


def require_models(status: ModelsStatus, needed: set[str]) -> None:
    """Raises ApiError (models loading; conflict where waiting would not help) that says what is missing."""
    if not status.connected:
        raise ApiError(
            ErrorCode.MODELS_LOADING,
            "The models are not there yet",
            "The speech models are being started. Try again in a few seconds.",
        )
    # Of the voices one is enough.
    if status.is_ready("piper"):
        needed = needed - {"tts"}
    missing = [part for part in status.components if part.name in needed and part.state != "ready"]
    if not missing:
        return
    if [(part.name, part.state) for part in missing] == [("llm", "off")]:
        raise ApiError(
            ErrorCode.CONFLICT,
            "There is no local language model",
            "This server runs without one. Choose a model connection on the agent's page.",
        )
    broken = [part for part in missing if part.state == "failed"]
    if broken:
        what = "; ".join(f"{part.label}: {part.message or 'failed'}" for part in broken)
        raise ApiError(ErrorCode.MODELS_LOADING, "A model failed to load", what)
    still = ", ".join(f"{part.label.lower()}{_progress(part.done, part.total)}" for part in missing)
    raise ApiError(ErrorCode.MODELS_LOADING, "The models are still loading", f"Still to come: {still}.")


def _progress(done: int, total: int) -> str:
    return f" ({100 * done // total} %)" if 0 < done < total else ""
