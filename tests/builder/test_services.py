"""What changes agents and connections, and what is written down of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from accounts.models import AuditEntry, Organization, User
from builder import services, starters
from builder.config import AgentConfig, ModelChoice, VoiceChoice
from builder.models import Agent, AgentVersion, ModelConnection
from core.errors import ApiError, ErrorCode
from tests.conftest import AgentFactory, ConnectionFactory, VersionFactory

pytestmark = pytest.mark.django_db


def audit(action: str) -> AuditEntry:
    return AuditEntry.objects.get(action=action)


def save(agent: Agent, actor: User, config: AgentConfig, *, name: str = "", revision: int = 0) -> Agent:
    return services.agent_save_draft(
        agent=agent, actor=actor, name=name or agent.name, config=config, revision=revision or agent.draft_revision
    )


class TestExample:
    def test_it_is_live_and_ready_to_answer_concrete_questions(self, workspace: Organization, owner: User) -> None:
        agent = services.example_agent_create(organization=workspace, actor=owner)
        assert agent.live_version is not None
        assert agent.live_version.label == "v1"
        assert not agent.has_unpublished_changes
        assert agent.draft_config.greeting
        for fact in ("Monday to Thursday from 8 AM to 6 PM", "12 Harbor Street", "80 dollars", "To book"):
            assert fact in agent.draft_config.prompt

    def test_where_nothing_can_answer_for_it_yet_it_is_a_draft(
        self, workspace: Organization, owner: User, settings: Any
    ) -> None:
        settings.LLM = "none"
        agent = services.example_agent_create(organization=workspace, actor=owner)
        assert agent.live_version is None


class TestCreate:
    def test_a_new_agent_has_the_draft_of_its_starter_and_no_version(
        self, workspace: Organization, member: User
    ) -> None:
        agent = services.agent_create(organization=workspace, actor=member, starter=starters.SUPPORT, name="Help desk")
        assert agent.name == "Help desk"
        assert agent.draft_config == starters.SUPPORT.config
        assert agent.live_version is None
        assert agent.created_by == member
        assert audit("agent.created").changes == {"name": ["", "Help desk"], "starter": ["", "support"]}
        assert audit("agent.created").actor == member

    def test_without_a_name_it_has_the_one_of_its_starter(self, workspace: Organization, member: User) -> None:
        assert services.agent_create(organization=workspace, actor=member).name == "New agent"


class TestSaveDraft:
    def test_it_stores_the_edit_and_counts_the_revision(self, agent_factory: AgentFactory, member: User) -> None:
        agent = agent_factory()
        saved = save(agent, member, AgentConfig(prompt="Be kind.", voice=VoiceChoice(speed=1.2)), name="Kind one")
        agent.refresh_from_db()
        assert (agent.name, agent.draft_config.prompt, agent.draft_revision) == ("Kind one", "Be kind.", 2)
        assert saved.draft_revision == 2
        assert audit("agent.edited").changes == {
            "name": ["Reception", "Kind one"],
            "prompt": ["Answer the phone.", "Be kind."],
            "speed": ["1 times", "1.2 times"],
        }

    def test_an_edit_that_changes_nothing_writes_nothing(self, agent_factory: AgentFactory, member: User) -> None:
        agent = agent_factory()
        before = agent.updated_at
        assert save(agent, member, agent.draft_config).draft_revision == 1
        agent.refresh_from_db()
        assert agent.updated_at == before
        assert not AuditEntry.objects.exists()

    def test_an_edit_of_an_older_draft_is_refused_and_nothing_is_lost(
        self, agent_factory: AgentFactory, member: User, owner: User
    ) -> None:
        agent = agent_factory()
        save(agent, owner, AgentConfig(prompt="The owner's."))
        with pytest.raises(ApiError) as refused:
            save(agent, member, AgentConfig(prompt="The member's."), revision=1)
        assert refused.value.code == ErrorCode.STALE_REVISION
        assert "Olive Owner saved other changes" in refused.value.message
        agent.refresh_from_db()
        assert agent.draft_config.prompt == "The owner's."

    def test_it_says_so_when_the_other_edit_was_ones_own(self, agent_factory: AgentFactory, member: User) -> None:
        agent = agent_factory()
        save(agent, member, AgentConfig(prompt="One."))
        with pytest.raises(ApiError, match=r"You saved other changes .* in another window"):
            save(agent, member, AgentConfig(prompt="Two."), revision=1)

    def test_the_edits_of_one_sitting_are_one_audit_entry(
        self, agent_factory: AgentFactory, member: User, owner: User
    ) -> None:
        agent = agent_factory()
        for prompt in ("A", "AB", "ABC"):
            agent = save(agent, member, AgentConfig(prompt=prompt))
        assert audit("agent.edited").changes == {"prompt": ["Answer the phone.", "ABC"]}
        agent = save(agent, owner, AgentConfig(prompt="ABCD"))
        with time_machine.travel(timezone.now() + timedelta(minutes=11), tick=False):
            save(agent, owner, AgentConfig(prompt="Later."))
        entries = AuditEntry.objects.filter(action="agent.edited").order_by("pk")
        assert [entry.changes["prompt"][1] for entry in entries] == ["ABC", "ABCD", "Later."]

    def test_the_audit_tells_the_size_of_a_long_text_and_not_the_text(
        self, agent_factory: AgentFactory, member: User
    ) -> None:
        save(agent_factory(), member, AgentConfig(prompt="Line one.\nLine two."))
        assert audit("agent.edited").changes == {"prompt": ["17 characters", "19 characters"]}

    def test_a_deleted_agent_takes_no_edit(self, agent_factory: AgentFactory, member: User) -> None:
        agent = agent_factory()
        services.agent_delete(agent=agent, actor=member)
        with pytest.raises(ApiError) as refused:
            save(agent, member, AgentConfig(prompt="Too late."))
        assert refused.value.code == ErrorCode.NOT_FOUND


class TestPublish:
    def test_versions_are_numbered_and_the_newest_is_live(self, agent_factory: AgentFactory, member: User) -> None:
        agent = agent_factory()
        first = services.agent_publish(agent=agent, actor=member, note=" First. ")
        agent = save(agent, member, AgentConfig(prompt="Second."))
        second = services.agent_publish(agent=agent, actor=member)
        agent.refresh_from_db()
        assert (first.label, first.note, second.label) == ("v1", "First.", "v2")
        assert agent.live_version == second
        assert first.parsed_config.prompt == "Answer the phone."
        published = AuditEntry.objects.filter(action="agent.published").order_by("pk")
        assert [entry.changes["version"] for entry in published] == [["", "v1"], ["v1", "v2"]]

    def test_the_same_again_is_refused(self, agent_factory: AgentFactory, member: User) -> None:
        agent = agent_factory()
        services.agent_publish(agent=agent, actor=member)
        with pytest.raises(ApiError) as refused:
            services.agent_publish(agent=agent, actor=member)
        assert refused.value.code == ErrorCode.CONFLICT
        assert agent.versions.count() == 1

    def test_what_was_not_looked_at_is_not_published(self, agent_factory: AgentFactory, member: User) -> None:
        agent = agent_factory()
        save(agent, member, AgentConfig(prompt="Meanwhile."))
        with pytest.raises(ApiError) as refused:
            services.agent_publish(agent=agent, actor=member, revision=1)
        assert refused.value.code == ErrorCode.STALE_REVISION
        assert not agent.versions.exists()

    def test_an_agent_whose_connection_is_gone_is_not_published(
        self,
        agent_factory: AgentFactory,
        member: User,
        other_workspace: Organization,
        connection_factory: ConnectionFactory,
    ) -> None:
        foreign = connection_factory(organization=other_workspace)
        agent = agent_factory(config=AgentConfig(model=ModelChoice(connection=foreign.pk)))
        with pytest.raises(ApiError) as refused:
            services.agent_publish(agent=agent, actor=member)
        assert refused.value.code == ErrorCode.VALIDATION_FAILED


class TestRestore:
    def test_it_puts_a_version_into_the_draft_and_leaves_the_live_one(
        self, agent_factory: AgentFactory, member: User
    ) -> None:
        agent = agent_factory()
        first = services.agent_publish(agent=agent, actor=member)
        agent = save(agent, member, AgentConfig(prompt="Second."))
        second = services.agent_publish(agent=agent, actor=member)
        restored = services.agent_restore(agent=agent, actor=member, version=first)
        assert restored.draft_config == first.parsed_config
        assert restored.live_version == second
        assert restored.draft_revision == 3
        assert audit("agent.restored").changes == {"draft": ["", "v1"]}

    def test_it_does_not_replace_a_draft_that_nobody_saw(self, version_factory: VersionFactory, member: User) -> None:
        version = version_factory()
        save(version.agent, member, AgentConfig(prompt="Meanwhile."))
        with pytest.raises(ApiError) as refused:
            services.agent_restore(agent=version.agent, actor=member, version=version, revision=1)
        assert refused.value.code == ErrorCode.STALE_REVISION


def test_a_duplicate_has_the_draft_but_is_not_published(version_factory: VersionFactory, member: User) -> None:
    agent = version_factory().agent
    copy = services.agent_duplicate(agent=agent, actor=member)
    assert (copy.name, copy.draft, copy.live_version) == ("Copy of Reception", agent.draft, None)
    assert audit("agent.created").changes["copy_of"] == ["", agent.pk]


def test_a_duplicate_of_a_long_name_fits(agent_factory: AgentFactory, member: User) -> None:
    copy = services.agent_duplicate(agent=agent_factory("x" * 120), actor=member)
    copy.full_clean()


def test_a_deleted_agent_stays_in_the_database_for_its_calls(version_factory: VersionFactory, member: User) -> None:
    agent = version_factory().agent
    services.agent_delete(agent=agent, actor=member)
    agent.refresh_from_db()
    assert agent.deleted_at is not None
    assert agent.versions.count() == 1
    assert audit("agent.deleted").changes == {"name": ["Reception", ""]}


class TestSnapshot:
    def test_an_unchanged_draft_is_tested_on_its_live_version(
        self, version_factory: VersionFactory, member: User
    ) -> None:
        version = version_factory()
        assert services.snapshot_for_test(agent=version.agent, actor=member) == version
        assert not AuditEntry.objects.exists()

    def test_tests_of_the_same_draft_share_a_snapshot(
        self, agent_factory: AgentFactory, member: User, owner: User
    ) -> None:
        agent = agent_factory()
        first = services.snapshot_for_test(agent=agent, actor=member)
        assert services.snapshot_for_test(agent=agent, actor=owner) == first
        assert (first.number, first.label, first.config) == (None, "draft", agent.draft)
        assert AgentVersion.objects.count() == 1
        assert audit("agent.snapshot_made").actor == member

    def test_another_draft_gets_another_snapshot(self, agent_factory: AgentFactory, member: User) -> None:
        agent = agent_factory()
        first = services.snapshot_for_test(agent=agent, actor=member)
        save(agent, member, AgentConfig(prompt="Changed."))
        assert services.snapshot_for_test(agent=agent, actor=member) != first

    def test_a_snapshot_is_no_version_that_people_see(self, agent_factory: AgentFactory, member: User) -> None:
        agent = agent_factory()
        services.snapshot_for_test(agent=agent, actor=member)
        assert services.agent_publish(agent=agent, actor=member).number == 1


CONNECTION = {
    "vendor": "compatible",
    "name": "Groq",
    "base_url": "https://llm.example.org/v1",
    "api_key": "sk-1",
    "default_model": "small",
}


CHANGED = {name: value for name, value in CONNECTION.items() if name != "vendor"} | {"api_key": "sk-2"}


class TestConnections:
    def test_a_key_is_encrypted_and_never_in_the_audit(self, workspace: Organization, admin: User) -> None:
        made = services.connection_create(organization=workspace, actor=admin, **CONNECTION)
        changed = services.connection_update(connection=made, actor=admin, **CHANGED)
        assert changed.api_key == "sk-2"
        assert audit("connection.created").changes["api_key"] == ["", "changed"]
        assert audit("connection.updated").changes == {"api_key": ["", "changed"]}
        assert "sk-" not in str(list(AuditEntry.objects.values_list("changes", flat=True)))
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute("SELECT api_key FROM builder_modelconnection")
            assert "sk-2" not in cursor.fetchone()[0]

    def test_one_that_an_agent_uses_is_not_deleted(
        self, workspace: Organization, admin: User, agent_factory: AgentFactory, connection_factory: ConnectionFactory
    ) -> None:
        used = connection_factory()
        choice = ModelChoice(connection=used.pk, name="small")
        agent = agent_factory("Front desk", config=AgentConfig(model=choice))
        services.agent_publish(agent=agent, actor=admin)
        save(agent, admin, AgentConfig())  # the live version still uses it
        with pytest.raises(ApiError, match="Front desk") as refused:
            services.connection_delete(connection=used, actor=admin)
        assert refused.value.code == ErrorCode.CONFLICT
        services.agent_delete(agent=agent, actor=admin)
        services.connection_delete(connection=used, actor=admin)
        assert not ModelConnection.objects.exists()
        assert audit("connection.deleted").changes["name"] == ["Groq", ""]
