"""A Stripe of our own, on this machine: the part of its HTTP API that billing uses, with state and a clock to move.

    with running_stripe() as stripe:
        settings.STRIPE_API_BASE = stripe.url
        ...
        stripe.pay_checkout(session_id)
        for event in stripe.new_events():
            body, signature = stripe.signed(event)

It answers the official library, keeps customers, prices, subscriptions (with proration), invoices and payment intents,
honours idempotency keys, and signs the events that it would send.
"""

from __future__ import annotations

from tests.billing.stripe_fake.api import KEY, WEBHOOK_SECRET, Stripe
from tests.billing.stripe_fake.server import running_stripe

__all__ = ["KEY", "WEBHOOK_SECRET", "Stripe", "running_stripe"]
