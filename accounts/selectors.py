"""What pages read of people and workspaces."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Case, QuerySet, Value, When
from django.utils import timezone

from accounts import api_keys
from accounts.access import RANK, may
from accounts.models import ApiKey, Membership, Organization, Role, User


def workspaces(user: User) -> QuerySet[Organization]:
    """Those that `user` is a member of, by name."""
    return Organization.objects.filter(memberships__user=user).order_by("name", "slug")


def home_workspace(user: User, *, last: str) -> Organization | None:
    """Where `user` goes on: in the workspace `last` (a slug) if they still are in it, or else in their first one."""
    mine = Organization.objects.filter(memberships__user=user).order_by("memberships__created_at")
    return mine.filter(slug=last).first() or mine.first()


def memberships(organization: Organization) -> QuerySet[Membership]:
    """The members with their `user`: who may do most comes first, then by name."""
    rank = Case(*(When(role=role, then=Value(-number)) for role, number in RANK.items()))
    return organization.memberships.select_related("user").order_by(rank, "user__name", "user__email")


def is_admin(user: User, organization: Organization) -> bool:
    """May `user` do there what takes an admin?"""
    role = organization.memberships.filter(user=user).values_list("role", flat=True).first()
    return role is not None and may(role, Role.ADMIN)


@dataclass(frozen=True, slots=True)
class ApiKeyRow:
    """An API key in the list: `shown` is the part of it that is no secret, `state` is active, expired or revoked."""

    key: ApiKey
    shown: str
    state: str


def api_key_list(organization: Organization) -> list[ApiKeyRow]:
    """The workspace's keys, the newest first; those that work no more stay in it."""
    found = organization.api_keys.select_related("created_by")
    return [ApiKeyRow(key, f"{api_keys.prefix(key.kind, key.public_id)}…", _state(key)) for key in found]


def _state(key: ApiKey) -> str:
    if key.revoked_at is not None:
        return "revoked"
    return "expired" if key.expires_at is not None and key.expires_at <= timezone.now() else "active"
