"""Every event of a call is put in words."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from django.urls import reverse

from accounts.models import Organization, User
from core.templatetags.ui import icon
from telephony import transcript
from telephony.models import CallEvent
from telephony.transcript import CallerSaid, KnowledgeUse, Notice
from telephony.words import EVENTS, JUDGED, remark
from tests.builder.pages import html
from tests.conftest import CallFactory, ClientFactory
from voice import events
from voice.events import EVENT_TYPES, Event

# Seen in the transcript as what was said, as a request to a model, or in the list of events alone.
WITHOUT_REMARK = {
    "call.started",
    "call.ended",
    "caller.speech_started",
    "caller.speech_stopped",
    "caller.partial",
    "caller.segment",
    "turn.decision",
    "caller.turn",
    "caller.digit",
    "caller.listening_finished",
    "agent.hesitated",
    "model.requested",
    "model.first_token",
    "model.finished",
    "tool.called",
    "tool.returned",
    "knowledge.searched",
    "speech.requested",
    "speech.first_audio",
    "speech.finished",
    "agent.speech_started",
    "agent.heard",
    "agent.turn",
}
SAMPLES: dict[str, Any] = {"str": "x", "float": 1.0, "int": 1, "bool": False}


def sample(event_type: str) -> Event:
    """An event of this type, with something in each of its fields."""
    kind = EVENT_TYPES[event_type]
    values: dict[str, Any] = {}
    for field in dataclasses.fields(kind):
        name = str(field.type)
        if "list[" in name:
            values[field.name] = []
        elif "dict[" in name:
            values[field.name] = {"a": 1}
        elif "Literal" in name:
            values[field.name] = name.split("'")[1]
        else:
            values[field.name] = SAMPLES.get(name.split(" ")[0], "x")
    return kind(**values)


def test_every_kind_of_event_has_a_name_for_people() -> None:
    assert list(EVENTS) == list(EVENT_TYPES)


@pytest.mark.parametrize("event_type", sorted(set(EVENT_TYPES) - WITHOUT_REMARK))
def test_every_event_that_is_not_seen_otherwise_is_said(event_type: str) -> None:
    said = remark(sample(event_type))
    assert said is not None
    assert said.text
    assert icon(said.icon)


def test_everybody_who_can_answer_is_named() -> None:
    verdicts = str(next(f.type for f in dataclasses.fields(events.MachineJudged) if f.name == "verdict"))
    assert set(JUDGED) == set(verdicts.split("'")[1::2])


def test_an_entry_by_keys_is_shown_as_it_was_pressed() -> None:
    [turn] = transcript.turns(
        [events.CallerTurn(at=3.0, turn=1, text="[keyed in: 42]", started=3.0, ended=3.0, source="keypad")]
    )
    [said] = turn.items
    assert isinstance(said, CallerSaid)
    assert (said.text, said.source) == ("42", "keypad")


def test_what_the_knowledge_base_gave_stands_in_its_turn() -> None:
    passages = [{"text": "Open till six.", "source": "hours.pdf", "score": 0.834}]
    [turn] = transcript.turns([events.KnowledgeSearched(at=3.0, turn=1, query="hours", passages=passages, took=0.1)])
    [found] = turn.items
    assert isinstance(found, KnowledgeUse)
    assert [(passage.source, passage.score) for passage in found.passages] == [("hours.pdf", 83)]


def test_a_transfer_is_told_with_how_it_went() -> None:
    [turn] = transcript.turns(
        [
            events.TransferStarted(at=1.0, to="+14155550100", warm=True),
            events.TransferFinished(at=5.0, to="+14155550100", outcome="failed", detail="Nobody answered."),
        ]
    )
    assert [(item.tone, item.text) for item in turn.items if isinstance(item, Notice)] == [
        ("info", "The caller is transferred to +14155550100, after a word to them."),
        ("error", "The transfer to +14155550100 failed (Nobody answered)."),
    ]


@pytest.mark.django_db
def test_the_page_of_a_call_shows_every_kind_of_event(
    client_for: ClientFactory, viewer: User, workspace: Organization, call_factory: CallFactory
) -> None:
    call = call_factory()
    CallEvent.objects.bulk_create(
        CallEvent.of(call.pk, number, events.encode(sample(event_type)))
        for number, event_type in enumerate(EVENT_TYPES)
    )
    page = html(client_for(viewer).get(reverse("call", args=[workspace.slug, call.pk])))
    for label in EVENTS.values():
        assert label.replace("'", "&#x27;") in page
    assert "Troubles" in page
