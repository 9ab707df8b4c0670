"""What a call is made with: the agent's choice first, this machine's models last."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from builder import engine
from builder.compile import CompiledAgent, Service
from builder.vendors import Access
from core.errors import ApiError, ErrorCode
from telephony.providers import Providers, needed_models, require_models
from voice.providers.local import Component, ModelsStatus
from voice.services import Services
from voice.spec import AgentSpec, Model, Voice

DEEPGRAM = Access("deepgram", "Deepgram", "https://api.deepgram.com", "k")
PARTS = ("vad", "turn", "stt", "piper", "tts", "embed", "llm")
ENGLISH = Voice(id="bf_emma", speed=1.2)


def status(**states: Any) -> ModelsStatus:
    return ModelsStatus(True, tuple(Component(name, name, states.get(name, "ready")) for name in PARTS))


def compiled(
    *, hearing: Access | None = None, voice: Access | None = None, model: Access | None = None
) -> CompiledAgent:
    return CompiledAgent(
        AgentSpec(name="A", voice=ENGLISH),
        hearing=(Service("stt", hearing, "nova-3" if hearing else ""),),
        voices=((Service("tts", voice, "aura-2" if voice else ""), ENGLISH),),
        models=((Service("llm", model, "small" if model else ""), Model()),),
    )


@pytest.fixture
async def providers(settings: Any, tmp_path: Path) -> AsyncIterator[Providers]:
    settings.MODELS_SOCKET = tmp_path / "models.sock"
    yield Providers()
    await engine.close()


def have(providers: Providers, now: ModelsStatus) -> None:
    providers._models._connection.status = now


async def test_a_local_agent_speaks_with_the_natural_voice_and_has_the_light_one_behind_it(
    providers: Providers,
) -> None:
    have(providers, ModelsStatus.unreachable())
    made = providers.services(compiled())
    assert isinstance(made, Services)
    assert [stt.name for stt in made.stt] == ["local-moonshine"]
    assert [(each.tts.name, each.voice) for each in made.voices] == [
        ("local-kokoro", ENGLISH),
        ("local-piper", ENGLISH),
    ]


async def test_behind_a_hosted_agent_stand_the_local_models(providers: Providers) -> None:
    have(providers, status())
    made = providers.services(compiled(hearing=DEEPGRAM, voice=DEEPGRAM))
    assert isinstance(made, Services)
    assert [stt.name for stt in made.stt] == ["Deepgram nova-3", "local-moonshine"]
    assert [each.tts.name for each in made.voices] == ["Deepgram aura-2", "local-kokoro", "local-piper"]
    assert made.voices[1].voice == Voice(speed=1.2)


async def test_models_that_are_not_there_stand_behind_nobody(providers: Providers) -> None:
    have(providers, status(stt="failed", tts="loading"))
    made = providers.services(compiled(hearing=DEEPGRAM, voice=DEEPGRAM))
    assert isinstance(made, Services)
    assert [stt.name for stt in made.stt] == ["Deepgram nova-3"]
    assert [each.tts.name for each in made.voices] == ["Deepgram aura-2", "local-piper"]


async def test_calls_share_what_speaks_for_them(providers: Providers) -> None:
    have(providers, status())
    one, other = (providers.services(compiled(voice=DEEPGRAM)) for _ in range(2))
    assert one.voices[0].tts is other.voices[0].tts


def test_only_the_local_models_that_the_agent_begins_with_are_needed() -> None:
    assert needed_models(compiled()) == {"vad", "turn", "stt", "tts", "llm"}
    assert needed_models(compiled(hearing=DEEPGRAM, voice=DEEPGRAM, model=DEEPGRAM)) == {"vad", "turn"}


def test_a_hosted_agent_calls_while_the_local_models_load() -> None:
    hosted = needed_models(compiled(hearing=DEEPGRAM, voice=DEEPGRAM, model=DEEPGRAM))
    require_models(status(stt="loading", tts="downloading", piper="loading", llm="off"), hosted)


@pytest.mark.parametrize(
    ("now", "code", "says"),
    [
        (ModelsStatus.unreachable(), ErrorCode.MODELS_LOADING, "being started"),
        (status(stt="loading"), ErrorCode.MODELS_LOADING, "Still to come: stt"),
        (status(stt="failed"), ErrorCode.MODELS_LOADING, "stt: failed"),
        (status(tts="loading", piper="loading"), ErrorCode.MODELS_LOADING, "Still to come: tts"),
        (status(llm="off"), ErrorCode.CONFLICT, "runs without one"),
    ],
)
def test_a_local_agent_is_told_what_is_missing(now: ModelsStatus, code: ErrorCode, says: str) -> None:
    with pytest.raises(ApiError) as refused:
        require_models(now, needed_models(compiled()))
    assert refused.value.code == code
    assert says in refused.value.message


def test_of_the_local_voices_one_is_enough() -> None:
    require_models(status(tts="loading"), needed_models(compiled()))
    require_models(status(piper="loading"), needed_models(compiled()))
