"""Models for calls of a whole server, as quick as one likes."""

from __future__ import annotations

from builder.compile import CompiledAgent
from core.errors import ApiError
from tests.voice.fakes import Caller, FakeLlm, FakeStt, FakeTts, FakeVad, Speaks
from voice.brain import llm_brain
from voice.chain import ChatModel
from voice.media.pacer import Pacer
from voice.services import Services, voice_chain
from voice.speech import PhraseCache


class FakeProviders:
    """Stands in for `telephony.providers.Providers`. `refusal` is what it says about models that are not there."""

    def __init__(self) -> None:
        self.refusal: ApiError | None = None
        self.failure: Exception | None = None
        self.llm = FakeLlm("Yes.", first=0.01, token=0.001)
        self.tts = FakeTts(first=0.01)
        self.stt = FakeStt(Caller([Speaks(0.0, "What time is it?", seconds=0.3)]), delay=0.02)
        self._pacer = Pacer()

    def require_ready(self, compiled: CompiledAgent) -> None:
        if self.refusal is not None:
            raise self.refusal

    def services(self, compiled: CompiledAgent) -> Services:
        if self.failure is not None:
            raise self.failure
        return Services(
            stt=[self.stt],
            voices=voice_chain([self.tts], compiled.spec.voice),
            brain=llm_brain([ChatModel.of(self.llm, compiled.spec.model)]),
            vad=FakeVad(),
            pacer=self._pacer,
            phrases=PhraseCache(),
        )
