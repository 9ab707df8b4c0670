"""The gateway to a fake Stripe."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.conf import LazySettings

from billing.stripe.adapter import StripeGateway
from tests.billing.stripe_fake import KEY, WEBHOOK_SECRET, Stripe, running_stripe


@pytest.fixture
def stripe(settings: LazySettings) -> Iterator[Stripe]:
    with running_stripe() as fake:
        settings.STRIPE_SECRET_KEY = KEY
        settings.STRIPE_WEBHOOK_SECRET = WEBHOOK_SECRET
        settings.STRIPE_API_BASE = fake.url
        settings.PAYMENT_GATEWAY = "billing.stripe.adapter.StripeGateway"
        yield fake


@pytest.fixture
def gateway(stripe: Stripe) -> StripeGateway:
    return StripeGateway()
