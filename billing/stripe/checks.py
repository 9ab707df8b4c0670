"""What can be wrong with the settings of Stripe, said by `manage.py check`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.core.checks import Warning as Caution

_SECRET_KEY = re.compile(r"(?:sk|rk)_(?:test|live)_\w{8,}")
_WEBHOOK_SECRET = re.compile(r"whsec_\S{8,}")
_WHERE_KEYS_ARE = "Take it from Stripe's dashboard, Developers > API keys."


@register
def check_stripe(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    key, secret = settings.STRIPE_SECRET_KEY, settings.STRIPE_WEBHOOK_SECRET
    if not key:
        return []
    found: list[CheckMessage] = []
    if key.startswith(("pk_", "whsec_")):
        kind = "the publishable key" if key.startswith("pk_") else "a webhook's secret"
        found.append(Error(f"STRIPE_SECRET_KEY is {kind}.", hint=_WHERE_KEYS_ARE, id="billing.E001"))
    elif not _SECRET_KEY.fullmatch(key):
        found.append(
            Error("STRIPE_SECRET_KEY is not a key: sk_live_… or rk_live_….", hint=_WHERE_KEYS_ARE, id="billing.E001")
        )
    if not _WEBHOOK_SECRET.fullmatch(secret):
        found.append(
            Error(
                "STRIPE_WEBHOOK_SECRET is not the secret of a webhook (whsec_…): payments would not be noticed.",
                hint="Make an endpoint for /stripe/webhook/ in Stripe's dashboard, and copy its signing secret.",
                id="billing.E002",
            )
        )
    if find_spec("stripe") is None:
        found.append(
            Error(
                "STRIPE_SECRET_KEY is set, but the package stripe is not there.",
                hint="Install it: .venv/bin/uv pip install 'stripe>=16.1,<17'",
                id="billing.E003",
            )
        )
    return found


@register(deploy=True)
def check_test_key(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    if "_test_" not in settings.STRIPE_SECRET_KEY[:8]:
        return []
    return [
        Caution(
            "STRIPE_SECRET_KEY is a test key: nobody really pays.",
            hint="Take the live key when you are ready.",
            id="billing.W001",
        )
    ]
