"""What pages read of people and workspaces."""

from __future__ import annotations

from django.db.models import Case, QuerySet, Value, When

from accounts.access import RANK
from accounts.models import Membership, Organization, User


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
