"""The work of payments, in the worker."""

from __future__ import annotations

from celery import shared_task

from billing.payments import recharge, upkeep


@shared_task
def recharge_balances() -> None:
    """Top up what has run low."""
    recharge.recharges_run()


@shared_task
def look_after_subscriptions() -> None:
    """Let renewals have the plan's newest price, and end the grace of those who are behind."""
    upkeep.offers_align()
    upkeep.grace_end()
