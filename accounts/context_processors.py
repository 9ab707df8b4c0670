"""What every page of the site knows."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from accounts.models import Organization


def workspace(request: HttpRequest) -> dict[str, Any]:
    """`workspace` and `role` of this page (None outside a workspace), and `workspaces`, all those of the person."""
    return {
        "workspace": getattr(request, "organization", None),
        "role": getattr(request, "role", None),
        "workspaces": SimpleLazyObject(lambda: _workspaces(request)),
    }


def _workspaces(request: HttpRequest) -> list[Organization]:
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return []
    return list(Organization.objects.filter(memberships__user=user).order_by("name"))
