"""What changes agents and connections. Each is one transaction with its audit entry."""

from __future__ import annotations

from accounts.models import Organization, User
from builder.models import Agent


def example_agent_create(*, organization: Organization, actor: User) -> Agent:
    raise RuntimeError
