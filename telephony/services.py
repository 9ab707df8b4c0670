"""What changes calls. Each is one transaction, with an audit entry where a person acts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import User
from accounts.services import audit
from billing.limits.leases import Cover, call_admit
from billing.usage.calls import call_settle
from builder.compile import AgentNotReady, CompiledAgent, compile_agent
from builder.measures.services import measures_store
from builder.models import Agent
from builder.services import snapshot_for_test
from core.errors import ApiError, ErrorCode
from core.locks import transaction_lock
from telephony.measures import measures_of
from telephony.metering import finished
from telephony.models import Call, CallEvent
from telephony.process import is_dead
from telephony.recordings import outline_of, recording_path, remove_recording, stored_recording
from telephony.selectors import PROCESS_LOST
from telephony.transcript import decoded
from voice import events
from voice.media.archive import ArchiveError, compress, seal
from voice.media.recording import Recorder

HEARTBEAT_SECONDS = 5.0
# A call that was not heard of for so long has lost its process.
LOST_AFTER = timedelta(seconds=30)
# A recording that is not sealed so long after its call was missed: the queue was away, or the worker died.
ARCHIVED_WITHIN = timedelta(minutes=10)
TIDIED_AT_ONCE = 1000

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Admitted:
    """A call that may begin, and what it runs."""

    call: Call
    compiled: CompiledAgent
    cover: Cover
    """Until when it is paid for."""


@transaction.atomic
def call_start(
    *, agent: Agent, actor: User, process: str, require_ready: Callable[[CompiledAgent], None] = lambda compiled: None
) -> Admitted:
    """Admit a test call of `agent`'s draft, held by `process`.

    Raises ApiError: not found for a deleted agent, concurrency limited when the process or the plan holds as many calls
    as it may, quota exceeded when there is no money for a call, conflict when the agent cannot take calls as it is, and
    what `require_ready` raises when a model that it needs is not there yet.
    """
    if not Agent.objects.filter(pk=agent.pk, deleted_at=None).exists():
        raise ApiError(ErrorCode.NOT_FOUND, "No such agent", "The agent was deleted.")
    transaction_lock(f"telephony.call_start:{process}")
    if Call.objects.filter(state=Call.State.LIVE, process=process).count() >= settings.MAX_CALLS:
        raise ApiError(
            ErrorCode.CONCURRENCY_LIMITED,
            "Too many calls",
            f"This server holds {settings.MAX_CALLS} calls, which is as many as it may. Try again when one has ended.",
        )
    version = snapshot_for_test(agent=agent, actor=actor)
    try:
        compiled = compile_agent(version)
    except AgentNotReady as error:
        raise ApiError(ErrorCode.CONFLICT, "The agent is not ready", str(error)) from None
    require_ready(compiled)
    now = timezone.now()
    call = Call.objects.create(
        organization=agent.organization,
        agent=agent,
        version=version,
        channel=Call.Channel.BROWSER,
        started_by=actor,
        started_at=now,
        heartbeat_at=now,
        process=process,
        services=_hosted_services(compiled),
    )
    cover = call_admit(
        organization=agent.organization,
        call_id=call.pk,
        agent_id=agent.pk,
        started_at=now,
        outbound=call.direction == Call.Direction.OUTBOUND,
        on_platform_number=call.line == Call.Line.PLATFORM,
    )
    ran = {"version": ("", version.pk), "channel": ("", call.channel)}
    audit(organization=agent.organization, actor=actor, action="call.started", target=call.pk, changes=ran)
    return Admitted(call, compiled, cover)


def _hosted_services(compiled: CompiledAgent) -> list[dict[str, str]]:
    """Kept with the call: its connections may be renamed or deleted, and what it cost is still to be told."""
    return [
        {"role": service.role, "name": service.name, "vendor": service.access.vendor, "model": service.model}
        for service in dict.fromkeys(compiled.services)
        if service.access is not None
    ]


@transaction.atomic
def call_finish(*, call_id: str, reason: str, detail: str, duration: float, recording_seconds: float) -> bool:
    """Mark a call as over after `duration` seconds. False, and no change, when it is over already or deleted."""
    call = Call.objects.select_for_update().filter(pk=call_id, state=Call.State.LIVE).first()
    if call is None:
        return False
    call.ended_at = call.started_at + timedelta(seconds=duration)
    _close(call, reason=reason, detail=detail, duration=duration, recording_seconds=recording_seconds)
    return True


def calls_beat(*, call_ids: list[str]) -> list[str]:
    """Say that these calls are alive. Gives those that are live no more: somebody took them for dead."""
    alive = Call.objects.filter(pk__in=call_ids, state=Call.State.LIVE)
    if alive.update(heartbeat_at=timezone.now()) == len(call_ids):
        return []
    return sorted(set(call_ids) - set(alive.values_list("pk", flat=True)))


def calls_recover() -> list[str]:
    """Finish every live call whose process died, each in its own transaction; their ids."""
    suspects = Call.objects.filter(state=Call.State.LIVE).values_list("pk", "process", "heartbeat_at")
    lost = [pk for pk, process, heartbeat in suspects if is_dead(process) or _overdue(heartbeat)]
    return [pk for pk in lost if _recover(pk)]


def _overdue(heartbeat: datetime) -> bool:
    return heartbeat < timezone.now() - LOST_AFTER


@transaction.atomic
def _recover(call_id: str) -> bool:
    """Finish one lost call with what is known of it: its last event, its recording, its last sign of life."""
    call = Call.objects.select_for_update().filter(pk=call_id, state=Call.State.LIVE).first()
    if call is None or not (is_dead(call.process) or _overdue(call.heartbeat_at)):
        return False
    try:
        recorded = Recorder.recover(recording_path(call.pk))
    except OSError as error:
        log.exception("A recording could not be recovered", call_id=call.pk)
        recorded, trouble = 0.0, f" Its recording could not be mended: {error.strerror}."
    else:
        trouble = ""
    last = call.events.order_by("-sequence").first()
    beat = (call.heartbeat_at - call.started_at).total_seconds()
    duration = max(last.at if last else 0.0, recorded, beat)
    detail = f"The server process that held the call died.{trouble}"
    if last is None or last.type != events.CallEnded.type:
        ended = events.CallEnded(at=duration, reason=PROCESS_LOST, detail=detail)
        event_rows_create(rows=[CallEvent.of(call.pk, last.sequence + 1 if last else 0, events.encode(ended))])
        reason = PROCESS_LOST
    else:
        # All was told but the end itself: the process died in the moment between.
        duration, reason, detail = last.at, last.data["reason"], last.data["detail"]
    call.ended_at = call.started_at + timedelta(seconds=duration)
    _close(call, reason=reason, detail=detail, duration=duration, recording_seconds=recorded)
    log.warning("A call lost its process", call_id=call.pk, process=call.process, seconds=round(duration, 1))
    return True


def _close(call: Call, *, reason: str, detail: str, duration: float, recording_seconds: float) -> None:
    call.state = Call.State.ENDED
    call.end_reason, call.end_detail = reason, detail[:300]
    call.duration_ms, call.recording_seconds = round(1000 * duration), recording_seconds
    call.save(update_fields=["state", "ended_at", "end_reason", "end_detail", "duration_ms", "recording_seconds"])
    call_settle(call=finished(call))
    # Robust: a queue that cannot be reached must not fail the call's end. What it missed is found later.
    transaction.on_commit(lambda: _work_up_soon(call.pk, archive=recording_seconds > 0), robust=True)


def _work_up_soon(call_id: str, *, archive: bool) -> None:
    from telephony import tasks  # which imports this module

    tasks.meter_call.delay(call_id)
    tasks.measure_call.delay(call_id)
    if archive:
        tasks.archive_recording.delay(call_id)


def call_measure(*, call_id: str) -> None:
    """Roll up how quick the services of a call were that is over. It can be repeated."""
    call = Call.objects.filter(pk=call_id, state=Call.State.ENDED).first()
    if call is not None:
        happened = map(decoded, call.events.order_by("sequence"))
        measures_store(measures_of(call, [event for event in happened if event is not None]))


@transaction.atomic
def call_delete(*, call: Call, actor: User) -> None:
    """Delete a call that is over, with its events and its recording. Raises ApiError (conflict) while it is live."""
    current = Call.objects.select_for_update().filter(pk=call.pk).first()
    if current is None:
        return
    if current.state == Call.State.LIVE:
        raise ApiError(ErrorCode.CONFLICT, "The call is live", "Hang up first, then delete it.")
    deleted = {"agent": (current.agent_id, ""), "started_at": (current.started_at.isoformat(), "")}
    audit(organization=call.organization, actor=actor, action="call.deleted", target=current.pk, changes=deleted)
    current.delete()
    transaction.on_commit(lambda: remove_recording(call.pk))


def recording_archive(*, call_id: str) -> None:
    """Compress the recording of a call that is over, and seal it. It can be repeated; it does nothing the second time.

    A recording that cannot be compressed without loss is kept as it was written, and sealed so. Raises ArchiveError for
    one that cannot be read, and OSError where the disk does.
    """
    path = stored_recording(call_id)
    if path is None or not _unsealed().filter(pk=call_id).exists():
        return
    outline_of(path)
    if path.suffix == ".wav":
        try:
            path = compress(path)
        except ArchiveError as error:
            log.warning("A recording could not be compressed", call_id=call_id, error=str(error))
    sealed = seal(path)
    kept = Call.objects.filter(pk=call_id)
    if not kept.update(recording_sha256=sealed.sha256, recording_format=path.suffix.removeprefix(".")):
        remove_recording(call_id)  # the call was deleted meanwhile


def recordings_overdue() -> list[str]:
    """The calls of the last two days whose recording should have been sealed by now."""
    now = timezone.now()
    found = _unsealed().filter(ended_at__lt=now - ARCHIVED_WITHIN, ended_at__gt=now - timedelta(days=2))
    return list(found.values_list("pk", flat=True)[:TIDIED_AT_ONCE])


def recordings_expire() -> int:
    """Delete the recordings that are older than the installation keeps them; how many that were."""
    if settings.RECORDING_RETENTION_DAYS <= 0:
        return 0
    oldest = timezone.now() - timedelta(days=settings.RECORDING_RETENTION_DAYS)
    expired = _with_recording().filter(ended_at__lt=oldest).order_by("ended_at").values_list("pk", flat=True)
    count = 0
    # So many at a time: the rest has its turn in a quarter of an hour.
    for call_id in list(expired[:TIDIED_AT_ONCE]):
        # The file first: what is marked as deleted is gone.
        remove_recording(call_id)
        count += Call.objects.filter(pk=call_id).update(recording_deleted_at=timezone.now())
    if count:
        log.info("Old recordings were deleted", recordings=count, days=settings.RECORDING_RETENTION_DAYS)
    return count


def _with_recording() -> QuerySet[Call]:
    return Call.objects.filter(state=Call.State.ENDED, recording_seconds__gt=0, recording_deleted_at=None)


def _unsealed() -> QuerySet[Call]:
    return _with_recording().filter(recording_sha256="")


def event_rows_create(*, rows: list[CallEvent]) -> None:
    """Store events in one transaction. Those that are stored already stay: a try can be repeated."""
    CallEvent.objects.bulk_create(rows, ignore_conflicts=True, batch_size=200)
