"""People who do the same thing at the same moment."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pytest
from django.db import connections

from accounts.models import AuditEntry, Role
from builder import services
from builder.config import AgentConfig
from builder.models import Agent, AgentVersion
from core.errors import ApiError, ErrorCode
from tests.conftest import AgentFactory, MemberFactory

pytestmark = pytest.mark.django_db(transaction=True)

T = TypeVar("T")
PEOPLE = 6


def at_once(work: Callable[[int], T]) -> list[T | ApiError]:
    """What `work` gives, or which ApiError it raises, when so many do it together."""
    gate = threading.Barrier(PEOPLE)

    def person(number: int) -> T | ApiError:
        try:
            gate.wait(timeout=10)
            return work(number)
        except ApiError as error:
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(PEOPLE) as pool:
        return list(pool.map(person, range(PEOPLE)))


def codes(results: list[T | ApiError]) -> list[ErrorCode]:
    return [result.code for result in results if isinstance(result, ApiError)]


def test_tests_that_start_together_share_one_snapshot(
    agent_factory: AgentFactory, member_factory: MemberFactory
) -> None:
    agent, member = agent_factory(), member_factory(Role.MEMBER)
    results = at_once(lambda _: services.snapshot_for_test(agent=agent, actor=member))
    assert {result.pk for result in results if isinstance(result, AgentVersion)} == {AgentVersion.objects.get().pk}
    assert len(results) == PEOPLE
    assert AuditEntry.objects.filter(action="agent.snapshot_made").count() == 1


def test_only_one_of_several_publishes_the_same_draft(
    agent_factory: AgentFactory, member_factory: MemberFactory
) -> None:
    agent, member = agent_factory(), member_factory(Role.MEMBER)
    results = at_once(lambda _: services.agent_publish(agent=agent, actor=member, revision=1))
    assert codes(results) == [ErrorCode.CONFLICT] * (PEOPLE - 1)
    agent.refresh_from_db()
    assert agent.live_version == agent.versions.get(number=1)


def test_of_edits_of_the_same_draft_one_is_saved_and_the_others_are_told(
    agent_factory: AgentFactory, member_factory: MemberFactory
) -> None:
    agent, member = agent_factory(), member_factory(Role.MEMBER)

    def edit(number: int) -> Agent:
        config = AgentConfig(prompt=f"Person {number}.")
        return services.agent_save_draft(agent=agent, actor=member, name=agent.name, config=config, revision=1)

    results = at_once(edit)
    assert codes(results) == [ErrorCode.STALE_REVISION] * (PEOPLE - 1)
    (saved,) = (result for result in results if isinstance(result, Agent))
    agent.refresh_from_db()
    assert agent.draft_revision == 2
    assert agent.draft == saved.draft
