"""Work that is done beside the web."""

from __future__ import annotations

from celery import shared_task

from billing.reports.rollup import roll_up
from telephony import metering, services
from telephony.reports.rollup import outcomes_rebuild


@shared_task
def recover_calls() -> None:
    """Finish the calls whose process died."""
    services.calls_recover()


@shared_task
def measure_call(call_id: str) -> None:
    """Roll up what a call that has just ended has measured of its services."""
    services.call_measure(call_id=call_id)


@shared_task
def meter_call(call_id: str) -> None:
    """Write down what the providers of a call did that has just ended."""
    metering.call_meter(call_id=call_id)


@shared_task
def meter_missed_calls() -> None:
    """Do so for the calls that were missed."""
    for call_id in metering.calls_unmetered():
        meter_call.delay(call_id)


@shared_task
def archive_recording(call_id: str) -> None:
    """Compress and seal the recording of a call that has just ended."""
    services.recording_archive(call_id=call_id)


@shared_task
def tidy_recordings() -> None:
    """Delete recordings that are too old, and archive those that were missed, one by one."""
    services.recordings_expire()
    for call_id in services.recordings_overdue():
        archive_recording.delay(call_id)


@shared_task
def roll_up_usage() -> None:
    """Add up the days about which something was written since the last time."""
    roll_up(also=outcomes_rebuild)
