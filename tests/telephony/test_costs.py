"""What a call used, read from its events, and what its page says that this cost."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from accounts.models import Organization, User
from telephony.costs import usages
from telephony.models import Call, CallEvent
from tests.builder.pages import html
from tests.conftest import CallFactory, ClientFactory
from voice import events
from voice.events import Event

SERVICES = [
    {"role": "stt", "name": "Ears nova-3", "vendor": "deepgram", "model": "nova-3"},
    {"role": "tts", "name": "Mouth sonic-3.6", "vendor": "cartesia", "model": "sonic-3.6"},
    {"role": "llm", "name": "Mind", "vendor": "openai", "model": "gpt-4.1-mini"},
    {"role": "realtime", "name": "Live gpt-realtime-2.1", "vendor": "openai", "model": "gpt-realtime-2.1"},
]


def asked(request: str, provider: str = "Mind", model: str = "gpt-4.1-mini") -> Event:
    return events.ModelRequested(at=1.0, turn=1, request=request, provider=provider, model=model, messages=[], tools=[])


def finished(request: str, finish: str = "stop", **tokens: int) -> Event:
    return events.ModelFinished(at=2.0, turn=1, request=request, text="", finish=finish, **tokens)


def spoken(request: str, characters: int, *, provider: str = "Mouth sonic-3.6", cached: bool = False) -> list[Event]:
    return [
        events.SpeechRequested(at=2.0, turn=1, request=request, provider=provider, voice="v", text="", spoken=""),
        events.SpeechFinished(at=3.0, turn=1, request=request, characters=characters, audio_seconds=1.0, cached=cached),
    ]


def counted(happened: list[Event], services: list[dict[str, str]] | None = None) -> dict[tuple[str, str, str], Any]:
    found = usages(happened, SERVICES if services is None else services)
    return {(u.vendor, u.model, u.unit): u.quantity for u in found if u.quantity}


def test_cached_tokens_are_part_of_those_that_went_in() -> None:
    happened = [asked("a"), finished("a", input_tokens=1000, cached_tokens=600, output_tokens=50)]
    assert counted(happened) == {
        ("openai", "gpt-4.1-mini", "llm_input_token"): 400,
        ("openai", "gpt-4.1-mini", "llm_cached_token"): 600,
        ("openai", "gpt-4.1-mini", "llm_output_token"): 50,
    }


def test_the_answer_that_lost_the_race_costs_too() -> None:
    happened = [asked("a"), finished("a", "lost_race", input_tokens=10)]
    assert counted(happened) == {("openai", "gpt-4.1-mini", "llm_input_token"): 10}


def test_tokens_that_were_not_reported_are_not_counted() -> None:
    assert counted([asked("a"), finished("a", "cancelled")]) == {}


def test_audio_tokens_of_a_speech_to_speech_model_are_apart() -> None:
    happened = [
        asked("a", "Live gpt-realtime-2.1", "gpt-realtime-2.1"),
        finished(
            "a",
            input_tokens=100,
            input_audio_tokens=80,
            cached_tokens=50,
            cached_audio_tokens=40,
            output_tokens=30,
            output_audio_tokens=20,
        ),
    ]
    found = usages(happened, SERVICES)
    assert {usage.component for usage in found} == {"realtime"}
    assert {usage.unit: int(usage.quantity) for usage in found} == {
        "llm_input_token": 10,
        "llm_cached_token": 10,
        "llm_output_token": 10,
        "audio_input_token": 40,
        "audio_cached_token": 40,
        "audio_output_token": 20,
    }


def test_speech_is_paid_by_the_character_unless_it_was_at_hand() -> None:
    happened = [*spoken("a", 120), *spoken("b", 80, cached=True)]
    assert counted(happened) == {("cartesia", "sonic-3.6", "tts_character"): 120}


def test_recognition_is_paid_by_the_second() -> None:
    happened: list[Event] = [events.ListeningFinished(at=9.0, provider="Ears nova-3", billed_seconds=12.34)]
    assert float(counted(happened)["deepgram", "nova-3", "stt_second"]) == 12.34


def test_a_provider_that_the_call_does_not_know_has_no_vendor() -> None:
    assert set(counted(spoken("a", 5, provider="Gone"), [])) == {("", "", "tts_character")}
    assert set(counted(spoken("a", 5, provider="local-kokoro"), [])) == {("local", "", "tts_character")}


@pytest.mark.django_db
def test_the_page_of_a_call_says_what_it_cost_and_what_has_no_price(
    client_for: ClientFactory, viewer: User, workspace: Organization, call_factory: CallFactory
) -> None:
    call: Call = call_factory(services=SERVICES)
    happened = [
        asked("a"),
        finished("a", input_tokens=100_000, output_tokens=0),
        *spoken("b", 1000),
        *spoken("c", 7, provider="Gone"),
        events.ListeningFinished(at=9.0, provider="local-moonshine", billed_seconds=30.0),
    ]
    CallEvent.objects.bulk_create(
        CallEvent.of(call.pk, number, events.encode(event)) for number, event in enumerate(happened)
    )
    page = html(client_for(viewer).get(reverse("call", args=[workspace.slug, call.pk])))
    assert "What it cost" in page
    assert "$0.0792" in page  # $0.04 for 100,000 tokens and $0.0392 for 1,000 characters
    assert "no price" in page
    assert "on this machine" in page
