"""Which plan costs more, and how a plan is offered to a gateway."""

from __future__ import annotations

from billing.payments.gateway import Offer
from billing.plans.models import PlanVersion
from core.errors import ApiError, ErrorCode

FREE = "free"
"""What a workspace falls back to when its subscription ends."""


def offer(version: PlanVersion) -> Offer:
    """`version` as a gateway sells it. Raises ApiError for one that is free or priced by contract."""
    if not version.price:
        message = f"{version.plan.name} is not sold by card. Ask whoever runs this installation."
        raise ApiError(ErrorCode.CONFLICT, "Not for sale", message)
    return Offer(id=version.pk, name=version.plan.name, price=version.price)


def is_upgrade(before: PlanVersion, after: PlanVersion) -> bool:
    """Does `after` cost more? It then begins at once; anything else begins with the next period.

    A price by contract is above every other one.
    """
    return _price(after) > _price(before)


def _price(version: PlanVersion) -> float:
    return float("inf") if version.price is None else version.price
