"""Work that is done beside the web."""

from __future__ import annotations

from celery import shared_task

from telephony import services


@shared_task
def recover_calls() -> None:
    """Finish the calls whose process died."""
    services.calls_recover()
