from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import AuditEntry, User
from builder.compile import CompiledAgent
from builder.config import AgentConfig, ModelChoice
from core.errors import ApiError, ErrorCode
from telephony import services
from telephony.models import Call, CallEvent
from telephony.recordings import recording_path
from tests.conftest import AgentFactory, CallFactory, ConnectionFactory, VersionFactory

pytestmark = pytest.mark.django_db


def start(agent: Any, actor: User, process: str = "here", **options: Any) -> services.Admitted:
    return services.call_start(agent=agent, actor=actor, process=process, **options)


def refusal(agent: Any, actor: User, **options: Any) -> ApiError:
    with pytest.raises(ApiError) as refused:
        start(agent, actor, **options)
    assert not Call.objects.filter(agent=agent).exists()
    return refused.value


def test_a_call_names_the_version_that_it_runs_on(agent_factory: AgentFactory, member: User) -> None:
    agent = agent_factory()
    admitted = start(agent, member)
    call = Call.objects.get()
    assert call == admitted.call
    assert (call.state, call.channel, call.started_by, call.process) == ("live", "browser", member, "here")
    assert call.version.config == agent.draft
    assert call.version.number is None
    assert admitted.compiled.spec.prompt == "Answer the phone."
    entry = AuditEntry.objects.get(action="call.started")
    assert (entry.actor, entry.target) == (member, call.pk)


def test_an_unchanged_draft_runs_on_the_published_version(
    agent_factory: AgentFactory, version_factory: VersionFactory, member: User
) -> None:
    version = version_factory(agent_factory())
    assert start(version.agent, member).call.version == version


def test_a_deleted_agent_takes_no_call(agent_factory: AgentFactory, member: User) -> None:
    agent = agent_factory()
    type(agent).objects.update(deleted_at=timezone.now())
    assert refusal(agent, member).code == ErrorCode.NOT_FOUND


def test_a_process_holds_only_so_many_calls(
    agent_factory: AgentFactory, call_factory: CallFactory, member: User, settings: Any
) -> None:
    settings.MAX_CALLS = 2
    for process in ("here", "elsewhere"):
        call_factory(state=Call.State.LIVE, process=process)
    call_factory(process="here")  # an ended one does not count
    agent = agent_factory("Busy")
    start(agent, member)
    with pytest.raises(ApiError) as refused:
        start(agent, member)
    assert refused.value.code == ErrorCode.CONCURRENCY_LIMITED
    assert start(agent, member, process="elsewhere").call.state == Call.State.LIVE


def test_an_agent_whose_connection_is_gone_says_what_to_do(
    agent_factory: AgentFactory, connection_factory: ConnectionFactory, member: User
) -> None:
    connection = connection_factory()
    agent = agent_factory(config=AgentConfig(model=ModelChoice(connection=connection.pk, name="small")))
    connection.delete()
    refused = refusal(agent, member)
    assert refused.code == ErrorCode.CONFLICT
    assert "Choose another one" in refused.message


def test_a_call_for_which_a_model_is_missing_leaves_no_trace(agent_factory: AgentFactory, member: User) -> None:
    def missing(compiled: CompiledAgent) -> None:
        raise ApiError(ErrorCode.MODELS_LOADING, "Still loading")

    agent = agent_factory()
    assert refusal(agent, member, require_ready=missing).code == ErrorCode.MODELS_LOADING
    assert not AuditEntry.objects.filter(action="call.started").exists()
    assert not agent.versions.exists()


def test_a_call_is_finished_once(call_factory: CallFactory) -> None:
    call = call_factory(state=Call.State.LIVE)
    assert services.call_finish(
        call_id=call.pk, reason="caller_ended", detail="Bye.", duration=12.3456, recording_seconds=12.3
    )
    assert not services.call_finish(call_id=call.pk, reason="error", detail="", duration=99.0, recording_seconds=0.0)
    call.refresh_from_db()
    assert (call.state, call.end_reason, call.end_detail) == (Call.State.ENDED, "caller_ended", "Bye.")
    assert (call.duration_ms, call.recording_seconds) == (12346, 12.3)
    assert call.ended_at is not None
    assert (call.ended_at - call.started_at).total_seconds() == pytest.approx(12.3456)


def test_a_detail_of_any_length_can_be_stored(call_factory: CallFactory) -> None:
    call = call_factory(state=Call.State.LIVE)
    services.call_finish(call_id=call.pk, reason="error", detail="x" * 1000, duration=1.0, recording_seconds=0.0)
    call.refresh_from_db()
    assert call.end_detail == "x" * 300


def test_a_heartbeat_is_of_live_calls_only(call_factory: CallFactory) -> None:
    long_ago = timezone.now() - timedelta(seconds=20)
    live = call_factory(state=Call.State.LIVE, heartbeat_at=long_ago)
    ended = call_factory(heartbeat_at=long_ago)
    assert services.calls_beat(call_ids=[live.pk]) == []
    assert services.calls_beat(call_ids=[live.pk, ended.pk, "call_deleted"]) == sorted([ended.pk, "call_deleted"])
    live.refresh_from_db()
    ended.refresh_from_db()
    assert live.heartbeat_at > long_ago
    assert ended.heartbeat_at == long_ago


@pytest.mark.django_db(transaction=True)
def test_deleting_a_call_deletes_its_events_and_recording(call_factory: CallFactory, owner: User) -> None:
    call = call_factory(recording_seconds=1.0)
    CallEvent.of(call.pk, 0, {"type": "call.started", "at": 0.0, "call_id": call.pk, "agent": "Ada"}).save()
    path = recording_path(call.pk)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"RIFF")
    services.call_delete(call=call, actor=owner)
    assert not Call.objects.filter(pk=call.pk).exists()
    assert not CallEvent.objects.exists()
    assert not path.exists()
    entry = AuditEntry.objects.get(action="call.deleted")
    assert (entry.actor, entry.target) == (owner, call.pk)
    services.call_delete(call=call, actor=owner)
    assert AuditEntry.objects.filter(action="call.deleted").count() == 1


def test_a_live_call_cannot_be_deleted(call_factory: CallFactory, owner: User) -> None:
    call = call_factory(state=Call.State.LIVE)
    with pytest.raises(ApiError) as refused:
        services.call_delete(call=call, actor=owner)
    assert refused.value.code == ErrorCode.CONFLICT
    assert Call.objects.filter(pk=call.pk).exists()
