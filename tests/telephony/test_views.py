from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.urls import reverse

from accounts.models import Organization, User
from telephony import health, selectors
from telephony.models import Call, CallEvent
from telephony.recordings import recording_path
from tests.conftest import AgentFactory, CallFactory, ClientFactory, VersionFactory
from voice import events
from voice.providers.local import Component, ModelsStatus

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def url(name: str, call: Call) -> str:
    return reverse(name, args=[call.organization.slug, call.pk])


def ids(response: Any) -> list[str]:
    return [row.id for row in response.context["calls"]]


def converse(call: Call) -> None:
    """A short call: a greeting, a question, an answer that is interrupted."""
    happened: list[events.Event] = [
        events.CallStarted(at=0.0, call_id=call.pk, agent="Ada"),
        events.AgentSpeechStarted(at=0.4, turn=0, playout_delay=0.1),
        events.AgentHeard(at=1.0, turn=0, words=[events.Word("Hello.", 0.5, 0.9)]),
        events.AgentTurn(at=1.0, turn=0, text="Hello.", started=0.5, ended=1.0),
        events.CallerPartial(at=2.5, turn=1, text="When are"),
        events.CallerTurn(at=3.2, turn=1, text="When are you open?", started=2.0, ended=3.0),
        events.ModelRequested(
            at=3.2,
            turn=1,
            request="model-1-1",
            provider="local",
            model="qwen",
            messages=[
                {"role": "system", "content": "You answer <b>the</b> phone."},
                {"role": "user", "content": "When are you open?"},
            ],
            tools=["end_call"],
        ),
        events.ModelFirstToken(at=3.5, turn=1, request="model-1-1"),
        events.ModelFinished(
            at=3.7,
            turn=1,
            request="model-1-1",
            text="From nine to five.",
            finish="stop",
            input_tokens=40,
            output_tokens=6,
        ),
        events.SpeechRequested(
            at=3.6, turn=1, request="speech-1-1", provider="local", voice="af_heart", text="From", spoken="From"
        ),
        events.SpeechFirstAudio(at=3.8, turn=1, request="speech-1-1"),
        events.AgentSpeechStarted(at=3.8, turn=1, playout_delay=0.1),
        events.AgentHeard(at=4.3, turn=1, words=[events.Word("From", 3.9, 4.1), events.Word("nine", 4.1, 4.3)]),
        events.AgentTurn(
            at=4.4, turn=1, text="From nine", started=3.9, ended=4.4, interrupted=True, unheard="to five."
        ),
        events.CallEnded(at=5.0, reason="caller_ended"),
    ]
    CallEvent.objects.bulk_create(
        CallEvent.of(call.pk, number, events.encode(event)) for number, event in enumerate(happened)
    )


@pytest.fixture
def call(call_factory: CallFactory) -> Call:
    made = call_factory(
        started_at=NOON, end_reason="caller_ended", duration_ms=5000, ended_at=NOON + timedelta(seconds=5)
    )
    converse(made)
    return made


# --- who sees what


@pytest.mark.parametrize("name", ["call", "call_recording", "call_events"])
def test_a_stranger_finds_nothing(
    name: str, call: Call, client_for: ClientFactory, stranger: User, other_workspace: Organization
) -> None:
    record(call)
    client = client_for(stranger)
    assert client.get(url(name, call)).status_code == 404
    assert client.get(reverse(name, args=[other_workspace.slug, call.pk])).status_code == 404


def test_a_stranger_deletes_nothing(call: Call, client_for: ClientFactory, stranger: User) -> None:
    assert client_for(stranger).post(url("call_delete", call)).status_code == 404
    assert Call.objects.filter(pk=call.pk).exists()


def test_who_is_not_signed_in_is_asked_to(call: Call, client_for: ClientFactory) -> None:
    response = client_for().get(url("call", call))
    assert response.status_code == 302
    assert reverse("account_login") in response["Location"]


@pytest.mark.parametrize("role", ["owner", "admin", "member", "viewer"])
def test_everybody_in_the_workspace_reads_calls(
    role: str, call: Call, client_for: ClientFactory, request: pytest.FixtureRequest
) -> None:
    client = client_for(request.getfixturevalue(role))
    assert client.get(reverse("calls", args=[call.organization.slug])).status_code == 200
    page = client.get(url("call", call))
    assert page.status_code == 200
    assert page.context["may_delete"] is (role in ("owner", "admin"))
    assert client.get(url("call_events", call)).status_code == 200


@pytest.mark.parametrize(("role", "status"), [("member", 403), ("viewer", 403), ("admin", 302), ("owner", 302)])
def test_admins_delete_calls(
    role: str, status: int, call: Call, client_for: ClientFactory, request: pytest.FixtureRequest
) -> None:
    client = client_for(request.getfixturevalue(role))
    assert client.get(url("call_delete", call)).status_code == 405
    assert client.post(url("call_delete", call)).status_code == status
    assert Call.objects.filter(pk=call.pk).exists() is (status == 403)


# --- the list


@pytest.fixture
def page(client_for: ClientFactory, viewer: User, workspace: Organization) -> Any:
    client = client_for(viewer)

    def get(**query: str) -> Any:
        response = client.get(reverse("calls", args=[workspace.slug]), query)
        assert response.status_code == 200
        return response

    return get


def test_the_list_shows_what_a_call_was(page: Any, call: Call, viewer: User) -> None:
    [row] = page().context["calls"]
    assert (row.id, row.agent_name, row.version) == (call.pk, call.agent.name, "v1")
    assert (row.duration, row.turns, row.reason_label, row.tone) == (5.0, 1, "Caller hung up", "success")
    assert (row.live, row.has_recording, row.channel_label) == (False, False, "Browser test")


def test_the_list_is_newest_first_and_only_of_the_workspace(
    page: Any,
    call_factory: CallFactory,
    version_factory: VersionFactory,
    agent_factory: AgentFactory,
    other_workspace: Any,
) -> None:
    version = version_factory()
    made = [call_factory(version, started_at=NOON + timedelta(hours=hour)) for hour in (1, 3, 2)]
    call_factory(version_factory(agent_factory(organization=other_workspace)))
    assert ids(page()) == [made[1].pk, made[2].pk, made[0].pk]


def test_the_list_can_be_narrowed(
    page: Any, call_factory: CallFactory, version_factory: VersionFactory, agent_factory: AgentFactory
) -> None:
    one, two = version_factory(agent_factory("One")), version_factory(agent_factory("Two"))
    first = call_factory(one, started_at=NOON, end_reason="caller_ended")
    second = call_factory(two, started_at=NOON + timedelta(days=1), end_reason="process_lost")
    live = call_factory(two, started_at=NOON + timedelta(days=2), state=Call.State.LIVE)
    assert ids(page(agent=one.agent.pk)) == [first.pk]
    assert ids(page(reason="process_lost")) == [second.pk]
    assert ids(page(reason="live")) == [live.pk]
    assert ids(page(after="2026-11-21")) == [live.pk, second.pk]
    assert ids(page(before="2026-11-21")) == [second.pk, first.pk]
    assert ids(page(after="2026-11-21", before="2026-11-21")) == [second.pk]
    assert ids(page(q=second.pk[-10:].upper())) == [second.pk]
    assert ids(page(q="nothing-like-it")) == []
    assert page(q="nothing-like-it").context["has_calls"]
    assert page(agent=one.agent.pk).context["filtered"]
    assert not page().context["filtered"]


def test_filters_that_make_no_sense_are_said_not_obeyed(page: Any, call: Call) -> None:
    response = page(after="yesterday", reason="boredom")
    assert ids(response) == [call.pk]
    assert set(response.context["filter_form"].errors) == {"after", "reason"}


def test_an_agent_of_another_workspace_is_no_filter(
    page: Any, call: Call, agent_factory: AgentFactory, other_workspace: Organization
) -> None:
    foreign = agent_factory("Secret plans", organization=other_workspace)
    response = page(agent=foreign.pk)
    assert "agent" in response.context["filter_form"].errors
    assert "Secret plans" not in response.content.decode()


def test_a_long_list_comes_in_pages_that_keep_the_filters(
    page: Any, call_factory: CallFactory, version_factory: VersionFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selectors, "PAGE_SIZE", 2)
    version = version_factory()
    # Two of them began in the same moment.
    made = [
        call_factory(version, started_at=NOON + timedelta(seconds=second), end_reason="error")
        for second in (0, 1, 1, 2, 3)
    ]
    call_factory(version, started_at=NOON, end_reason="caller_ended")
    response, found = page(reason="error"), []
    for number in range(3):
        found += ids(response)
        assert bool(response.context["newest_url"]) is (number > 0)
        if older := response.context["older_url"]:
            assert "reason=error" in older
            response = response.client.get(older)
    assert found == [made[4].pk, made[3].pk, *sorted((made[1].pk, made[2].pk), reverse=True), made[0].pk]
    assert response.context["older_url"] == ""


def test_a_page_of_calls_takes_a_few_queries_however_many_there_are(
    page: Any, call_factory: CallFactory, version_factory: VersionFactory, django_assert_max_num_queries: Any
) -> None:
    version = version_factory()
    for _ in range(20):
        call_factory(version)
    page()
    with django_assert_max_num_queries(12):
        assert len(ids(page())) == 20


def test_htmx_gets_the_results_alone(client_for: ClientFactory, viewer: User, call: Call) -> None:
    response = client_for(viewer, htmx=True).get(reverse("calls", args=[call.organization.slug]))
    assert call.pk[-8:] in response.content.decode()
    assert "<html" not in response.content.decode()


# --- one call


def test_the_page_shows_both_sides(client_for: ClientFactory, viewer: User, call: Call) -> None:
    response = client_for(viewer).get(url("call", call))
    page = response.context["page"]
    text = response.content.decode()
    for said in ("Hello.", "When are you open?", "to five.", "You answer &lt;b&gt;the&lt;/b&gt; phone."):
        assert said in text
    assert page.numbers.caller_turns == page.numbers.interruptions == 1
    assert page.numbers.agent_turns == 2
    assert page.numbers.latency_median == pytest.approx(0.9)
    assert (page.numbers.input_tokens, page.numbers.output_tokens) == (40, 6)
    assert page.events_total == 15
    assert page.recording_url == ""


def test_the_page_of_a_live_call_asks_again_and_that_of_an_ended_one_does_not(
    client_for: ClientFactory, viewer: User, call: Call
) -> None:
    client = client_for(viewer, htmx=True)
    Call.objects.filter(pk=call.pk).update(state=Call.State.LIVE)
    live = client.get(url("call", call)).content.decode()
    assert "every 2s" in live
    assert "<html" not in live
    Call.objects.filter(pk=call.pk).update(state=Call.State.ENDED)
    assert "every 2s" not in client.get(url("call", call)).content.decode()


def test_the_events_can_be_taken_away_as_a_file(client_for: ClientFactory, viewer: User, call: Call) -> None:
    response = client_for(viewer).get(url("call_events", call))
    assert response["Content-Disposition"] == f'attachment; filename="{call.pk}-events.json"'
    body = json.loads(response.content)
    assert body["call"] == call.pk
    assert [event["sequence"] for event in body["events"]] == list(range(15))
    decoded = [
        events.decode({key: value for key, value in event.items() if key != "sequence"}) for event in body["events"]
    ]
    assert isinstance(decoded[-1], events.CallEnded)


def record(call: Call) -> bytes:
    """Give the call a recording, and have its bytes."""
    path = recording_path(call.pk)
    path.parent.mkdir(parents=True, exist_ok=True)
    content = bytes(range(256)) * 1000
    path.write_bytes(content)
    Call.objects.filter(pk=call.pk).update(recording_seconds=4.0)
    return content


def test_a_call_has_a_recording_once_it_is_over_and_there(client_for: ClientFactory, viewer: User, call: Call) -> None:
    client = client_for(viewer)
    assert client.get(url("call_recording", call)).status_code == 404
    record(call)
    assert client.get(url("call", call)).context["page"].recording_url == url("call_recording", call)
    recording_path(call.pk).unlink()
    assert client.get(url("call", call)).context["page"].recording_url == ""
    assert client.get(url("call_recording", call)).status_code == 404


# --- the pill

LABELS = {
    "vad": "Voice activity",
    "turn": "End of turn",
    "stt": "Speech recognition",
    "piper": "Spare voice",
    "tts": "Natural voices",
    "llm": "Language model",
}


def models(**states: str) -> ModelsStatus:
    """The local models, ready but for those whose state is given."""
    return ModelsStatus(
        True,
        tuple(Component(name, label, state=states.get(name, "ready")) for name, label in LABELS.items()),  # type: ignore[arg-type]
    )


def test_the_pill_counts_the_live_calls_of_the_workspace(
    client_for: ClientFactory,
    viewer: User,
    call_factory: CallFactory,
    version_factory: VersionFactory,
    agent_factory: AgentFactory,
    workspace: Organization,
    other_workspace: Organization,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("builder.engine.models_status", models)
    version = version_factory()
    for _ in range(2):
        call_factory(version, state=Call.State.LIVE)
    call_factory(version)
    call_factory(version_factory(agent_factory(organization=other_workspace)), state=Call.State.LIVE)
    text = client_for(viewer).get(reverse("status", args=[workspace.slug])).content.decode()
    assert "healthy · 2 live calls" in text


def test_a_stranger_sees_no_pill(client_for: ClientFactory, stranger: User, workspace: Organization) -> None:
    assert client_for(stranger).get(reverse("status", args=[workspace.slug])).status_code == 404


def test_the_pill_says_what_is_loading_and_how_far_it_is() -> None:
    loading = models(llm="downloading")
    parts = tuple(
        Component(part.name, part.label, "downloading", done=250, total=1000, speed=1e6) if part.name == "llm" else part
        for part in loading.components
    )
    found = health.describe(ModelsStatus(True, parts), 1)
    assert (found.state, found.text) == ("loading", "loading models · 25 %")
    assert "can already talk" in found.advice
    llm = next(part for part in found.parts if part.name == "llm")
    assert (llm.percent, llm.state_label) == (25, "Downloading")
    assert "can talk when" in health.describe(models(stt="loading"), 0).advice


@pytest.mark.parametrize(
    ("status", "state", "text"),
    [
        (models(), "ok", "healthy"),
        (models(llm="off"), "ok", "healthy"),
        (models(stt="failed"), "problem", "Speech recognition failed"),
        (models(tts="failed"), "problem", "Natural voices failed"),
        (models(stt="failed", llm="downloading"), "problem", "Speech recognition failed"),
        (models(tts="failed", llm="loading"), "loading", "loading models"),
    ],
)
def test_the_pill_says_how_it_is(status: ModelsStatus, state: str, text: str) -> None:
    found = health.describe(status, 0)
    assert (found.state, found.text) == (state, text)


def test_models_that_do_not_answer_are_a_problem_only_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_BORN", time.monotonic())
    assert health.describe(ModelsStatus.unreachable(), 0).state == "loading"
    monkeypatch.setattr(health, "_BORN", time.monotonic() - health.STARTING_SECONDS - 1)
    found = health.describe(ModelsStatus.unreachable(), 0)
    assert (found.state, found.text) == ("problem", "models not running")
