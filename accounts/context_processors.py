"""What every page of the site knows."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from accounts import selectors
from accounts.models import Organization


def workspace(request: HttpRequest) -> dict[str, Any]:
    """What pages know of where they are.

    `workspace` and `role` of this page are None outside a workspace. `workspaces` are all those of the person, and
    `nav_workspace` is the one whose pages the sidebar lists: this page's, or else the one they were in last.
    """
    here = getattr(request, "organization", None)
    mine: Any = SimpleLazyObject(lambda: _workspaces(request))
    return {
        "workspace": here,
        "role": getattr(request, "role", None),
        "workspaces": mine,
        "nav_workspace": here or SimpleLazyObject(lambda: _last_workspace(request, mine)),
        "has_mail_server": settings.HAS_MAIL_SERVER,
    }


def _workspaces(request: HttpRequest) -> list[Organization]:
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return []
    return list(selectors.workspaces(user))


def _last_workspace(request: HttpRequest, workspaces: list[Organization]) -> Organization | None:
    last = request.session.get("workspace") if hasattr(request, "session") else None
    return next((one for one in workspaces if one.slug == last), None) or next(iter(workspaces), None)
