"""Clients with an API key."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import Organization, User
from accounts.services import api_key_create

KeyFactory = Callable[..., str]


@pytest.fixture
def api_key(workspace: Organization, owner: User) -> KeyFactory:
    """Makes keys of `workspace`, or of another one."""

    def make(kind: str = "admin", *, organization: Organization | None = None, actor: User | None = None) -> str:
        return api_key_create(organization=organization or workspace, actor=actor or owner, name="Test", kind=kind)[1]

    return make


@pytest.fixture
def admin_client(api_key: KeyFactory) -> Client:
    """A program with an admin key of `workspace`."""
    return Client(headers={"Authorization": f"Bearer {api_key()}", "Cartesia-Version": "2026-08-14"})
