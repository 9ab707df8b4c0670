"""How quick services were, rolled up when a call is over, and what the last calls say of a service."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Organization
from builder.measures.models import ServiceMeasure
from builder.measures.selectors import Measured, measured, prompt_speed
from telephony import services
from telephony.measures import measures_of
from telephony.models import Call, CallEvent
from tests.conftest import CallFactory
from tests.telephony.test_costs import SERVICES
from voice import events
from voice.events import Event

pytestmark = pytest.mark.django_db


def answer(request: str, at: float, wait: float, **tokens: int) -> list[Event]:
    asked = events.ModelRequested(
        at=at, turn=1, request=request, provider="Mind", model="gpt-4.1-mini", messages=[], tools=[]
    )
    return [
        asked,
        events.ModelFirstToken(at=at + wait, turn=1, request=request),
        events.ModelFinished(at=at + 2, turn=1, request=request, text="", finish="stop", **tokens),
    ]


def speech(
    request: str, wait: float, *, provider: str = "Mouth sonic-3.6", cached: bool = False, characters: int = 300
) -> list[Event]:
    return [
        events.SpeechRequested(at=5, turn=1, request=request, provider=provider, voice="v", text="", spoken=""),
        events.SpeechFirstAudio(at=5 + wait, turn=1, request=request),
        events.SpeechFinished(at=7, turn=1, request=request, characters=characters, audio_seconds=1.0, cached=cached),
    ]


def heard(took: float, provider: str = "Ears nova-3") -> Event:
    return events.CallerSegment(at=1, turn=1, text="Hi", provider=provider, audio_seconds=1.0, took=took)


@pytest.fixture
def call(call_factory: CallFactory) -> Call:
    made = call_factory(services=SERVICES)
    Call.objects.filter(pk=made.pk).update(duration_ms=30_000)
    made.refresh_from_db()
    return made


def rolled_up(call: Call, happened: list[Event]) -> dict[tuple[str, str], ServiceMeasure]:
    return {(row.role, row.vendor): row for row in measures_of(call, happened)}


def test_the_median_of_each_service_is_kept_with_what_it_did(call: Call) -> None:
    happened = [
        heard(0.1),
        heard(0.5),
        heard(0.2),
        *answer("a", 1.0, 0.4, input_tokens=1000, cached_tokens=200, output_tokens=20),
        *answer("b", 4.0, 0.6, input_tokens=1100, cached_tokens=1000, output_tokens=20),
        *speech("s", 0.25),
        events.ListeningFinished(at=30, provider="Ears nova-3", billed_seconds=30.0),
    ]
    found = rolled_up(call, happened)
    assert found["stt", "deepgram"].waited_ms == 200
    assert found["stt", "deepgram"].quantities == {"stt_second": 30.0}
    llm = found["llm", "openai"]
    assert (llm.model, llm.waited_ms, llm.read_speed) == ("gpt-4.1-mini", 500, 2000)
    assert llm.quantities["llm_input_token"] == 900
    assert found["tts", "cartesia"].waited_ms == 250


def test_speech_that_was_kept_from_before_says_nothing_of_the_voice(call: Call) -> None:
    assert ("tts", "cartesia") not in rolled_up(call, speech("s", 0.001, cached=True))


def test_our_own_models_are_measured_too(call: Call) -> None:
    found = rolled_up(call, [heard(0.12, "local-moonshine"), *speech("s", 0.4, provider="local-kokoro")])
    assert found["stt", "local"].waited_ms == 120
    assert found["tts", "local"].waited_ms == 400


def test_a_model_that_hears_and_speaks_is_one_service(call: Call) -> None:
    found = rolled_up(call, speech("s", 0.5, provider="Live gpt-realtime-2.1"))
    assert [key for key in found if key[1] == "openai"] == [("realtime", "openai")]


def test_a_call_that_has_ended_is_measured_once(call: Call, workspace: Organization) -> None:
    for sequence, event in enumerate([heard(0.1), heard(0.3)]):
        CallEvent.of(call.pk, sequence, events.encode(event)).save()
    services.call_measure(call_id=call.pk)
    services.call_measure(call_id=call.pk)
    assert measured(workspace, "stt", "deepgram", "nova-3") == Measured(calls=1, waited_ms=200)


def test_the_end_of_a_call_has_it_measured(
    call_factory: CallFactory, django_capture_on_commit_callbacks: object
) -> None:
    live = call_factory(state=Call.State.LIVE, services=SERVICES)
    CallEvent.of(live.pk, 0, events.encode(heard(0.1))).save()
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        services.call_finish(call_id=live.pk, reason="caller_hung_up", detail="", duration=12.0, recording_seconds=0.0)
    assert ServiceMeasure.objects.get(call_id=live.pk).waited_ms == 100


def made(workspace: Organization, number: int, **fields: object) -> ServiceMeasure:
    known: dict[str, object] = {"role": "tts", "vendor": "cartesia", "model": "sonic-3.6", "call_seconds": 60.0}
    ended = timezone.now() - timedelta(minutes=number)
    return ServiceMeasure.objects.create(
        organization=workspace, call_id=f"call_{number}", ended_at=ended, **{**known, **fields}
    )


def test_the_last_calls_of_the_workspace_speak_for_a_service(
    workspace: Organization, other_workspace: Organization
) -> None:
    for number, waited in enumerate((100, 300, 200)):
        made(workspace, number, waited_ms=waited, quantities={"tts_character": 400})
    made(workspace, 3, waited_ms=None)
    made(workspace, 4, model="sonic-2", waited_ms=9000)
    made(other_workspace, 5, waited_ms=9000)
    found = measured(workspace, "tts", "cartesia", "sonic-3.6")
    assert (found.calls, found.waited_ms, found.per_minute) == (4, 200, {"tts_character": 300.0})
    assert measured(workspace, "tts", "elevenlabs", "x") == Measured()


def test_all_calls_of_the_installation_speak_for_our_own_models(
    workspace: Organization, other_workspace: Organization
) -> None:
    made(other_workspace, 1, vendor="local", model="", waited_ms=400)
    assert measured(workspace, "tts", "local", "").waited_ms == 400


def test_a_few_calls_do_not_say_how_fast_a_prompt_is_read(workspace: Organization) -> None:
    hosted = {"role": "llm", "vendor": "openai", "model": "m"}
    for number in range(2):
        made(workspace, number, **hosted, read_speed=1000)
    assert prompt_speed(workspace, "openai", "m") is None
    made(workspace, 3, **hosted, read_speed=3000)
    assert prompt_speed(workspace, "openai", "m") == 1000
