"""What every test may ask for: personas, a workspace, and small factories for rows.

The personas of `workspace` are `owner`, `admin`, `member` and `viewer`; `stranger` owns another one, `other_workspace`.
`client_for(user)` is a signed-in client, `client_for()` an anonymous one; both speak as a browser does.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest
from django.core.cache import cache
from django.db.backends.sqlite3.base import DatabaseOperations  # type: ignore[attr-defined]
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from accounts.models import Membership, Organization, Role, User
from builder.config import AgentConfig
from builder.models import Agent, AgentVersion, ModelConnection
from telephony.models import Call

PASSWORD = "the-personas-password"

# How long an example takes, and making one up, says how busy the machine is, and nothing of the code.
hypothesis_settings.register_profile("callwright", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.register_profile("thorough", hypothesis_settings.get_profile("callwright"), max_examples=1000)
hypothesis_settings.load_profile("callwright")


class UserFactory(Protocol):
    def __call__(self, email: str = ..., *, name: str = ..., password: str = ...) -> User: ...


class MemberFactory(Protocol):
    def __call__(self, role: Role, email: str = ..., *, organization: Organization | None = ...) -> User: ...


class OrganizationFactory(Protocol):
    def __call__(self, name: str = ..., *, owner: User | None = ...) -> Organization: ...


class AgentFactory(Protocol):
    def __call__(
        self, name: str = ..., *, organization: Organization | None = ..., config: AgentConfig | None = ...
    ) -> Agent: ...


class VersionFactory(Protocol):
    def __call__(
        self, agent: Agent | None = ..., *, config: AgentConfig | None = ..., **fields: Any
    ) -> AgentVersion: ...


class ConnectionFactory(Protocol):
    def __call__(
        self, name: str = ..., *, organization: Organization | None = ..., **fields: Any
    ) -> ModelConnection: ...


class CallFactory(Protocol):
    def __call__(self, version: AgentVersion | None = ..., **fields: Any) -> Call: ...


class ClientFactory(Protocol):
    def __call__(self, user: User | None = ..., *, htmx: bool = ..., accept: str = ...) -> Client: ...


@pytest.fixture(scope="session", autouse=True)
def _tables_of_final_rows_can_be_emptied() -> Iterator[None]:
    """Between tests with real transactions SQLite deletes row by row, which our triggers refuse."""

    def flush(self: DatabaseOperations, *args: Any, **options: Any) -> list[str]:
        with self.connection.cursor() as cursor:
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
            triggers = cursor.fetchall()
        dropped = [f"DROP TRIGGER {name}" for name, _ in triggers]
        return [*dropped, *sql_flush(self, *args, **options), *(sql for _, sql in triggers)]

    sql_flush = DatabaseOperations.sql_flush
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "sql_flush", flush)
        yield


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite database with every table and nothing in it, to be copied into the homes of servers that are programs
    of their own: making the tables would take each of them longer than all else."""
    home = tmp_path_factory.mktemp("migrated")
    kept = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    environment = {**kept, "CALLWRIGHT_HOME": str(home), "DJANGO_SETTINGS_MODULE": "config.settings"}
    command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    subprocess.run(command, cwd=Path(__file__).resolve().parents[1], env=environment, check=True)
    return home / "callwright.sqlite3"


@pytest.fixture(autouse=True)
def _empty_cache() -> None:
    """Rate limits are counted in the cache: no test pays for another's tries."""
    cache.clear()


@pytest.fixture
def user_factory(db: None) -> UserFactory:
    counter = iter(range(1, 1000))

    def make(email: str = "", *, name: str = "", password: str = PASSWORD) -> User:
        return User.objects.create_user(email or f"person{next(counter)}@example.org", password, name=name)

    return make


@pytest.fixture
def organization_factory(user_factory: UserFactory) -> OrganizationFactory:
    """Makes bare workspaces: what `ON_ORGANIZATION_CREATED` would furnish them with is left out."""
    counter = iter(range(1, 1000))

    def make(name: str = "", *, owner: User | None = None) -> Organization:
        number = next(counter)
        organization = Organization.objects.create(name=name or f"Workspace {number}", slug=f"workspace-{number}")
        Membership.objects.create(user=owner or user_factory(), organization=organization, role=Role.OWNER)
        return organization

    return make


@pytest.fixture
def owner(user_factory: UserFactory) -> User:
    return user_factory("owner@example.org", name="Olive Owner")


@pytest.fixture
def workspace(organization_factory: OrganizationFactory, owner: User) -> Organization:
    return organization_factory("Acme", owner=owner)


@pytest.fixture
def member_factory(user_factory: UserFactory, workspace: Organization) -> MemberFactory:
    """Makes people who have a role in `workspace`, or in the organization that is given."""

    def make(role: Role, email: str = "", *, organization: Organization | None = None) -> User:
        user = user_factory(email)
        Membership.objects.create(user=user, organization=organization or workspace, role=role)
        return user

    return make


@pytest.fixture
def admin(member_factory: MemberFactory) -> User:
    return member_factory(Role.ADMIN, "admin@example.org")


@pytest.fixture
def member(member_factory: MemberFactory) -> User:
    return member_factory(Role.MEMBER, "member@example.org")


@pytest.fixture
def viewer(member_factory: MemberFactory) -> User:
    return member_factory(Role.VIEWER, "viewer@example.org")


@pytest.fixture
def stranger(user_factory: UserFactory) -> User:
    return user_factory("stranger@example.org", name="Sam Stranger")


@pytest.fixture
def other_workspace(organization_factory: OrganizationFactory, stranger: User) -> Organization:
    return organization_factory("Elsewhere", owner=stranger)


@pytest.fixture
def agent_factory(workspace: Organization) -> AgentFactory:
    """Makes agents without a version, in `workspace` unless told otherwise."""

    def make(
        name: str = "Reception", *, organization: Organization | None = None, config: AgentConfig | None = None
    ) -> Agent:
        draft = (config or AgentConfig(prompt="Answer the phone.")).as_json()
        return Agent.objects.create(organization=organization or workspace, name=name, draft=draft)

    return make


@pytest.fixture
def version_factory(agent_factory: AgentFactory) -> VersionFactory:
    """Makes published versions, each with the next number of its agent, and makes the newest one live."""

    def make(agent: Agent | None = None, *, config: AgentConfig | None = None, **fields: Any) -> AgentVersion:
        agent = agent or agent_factory()
        config = config or AgentConfig(**agent.draft)
        fields = {"number": agent.versions.count() + 1, "content_hash": config.content_hash(), **fields}
        version = AgentVersion.objects.create(agent=agent, config=config.as_json(), **fields)
        agent.live_version = version
        agent.save(update_fields=["live_version"])
        return version

    return make


@pytest.fixture
def connection_factory(workspace: Organization) -> ConnectionFactory:
    def make(name: str = "Groq", *, organization: Organization | None = None, **fields: Any) -> ModelConnection:
        known = {"vendor": "compatible", "base_url": "https://llm.example.org/v1", "default_model": "small"}
        fields = {**known, "api_key": "sk-secret", **fields}
        return ModelConnection.objects.create(organization=organization or workspace, name=name, **fields)

    return make


@pytest.fixture
def call_factory(version_factory: VersionFactory) -> CallFactory:
    """Makes calls that are over, unless `state` says that they are live."""

    def make(version: AgentVersion | None = None, **fields: Any) -> Call:
        version = version or version_factory()
        now = timezone.now()
        ended = {} if fields.get("state") == Call.State.LIVE else {"state": Call.State.ENDED, "ended_at": now}
        return Call.objects.create(
            **{
                "organization": version.agent.organization,
                "agent": version.agent,
                "version": version,
                "channel": Call.Channel.BROWSER,
                "started_at": now,
                "heartbeat_at": now,
                "process": "test",
                **ended,
                **fields,
            }
        )

    return make


@pytest.fixture
def client_for(db: None) -> ClientFactory:
    """Makes clients: of a person or of nobody, of htmx (`htmx=True`) or of a program (`accept="application/json"`)."""

    def make(user: User | None = None, *, htmx: bool = False, accept: str = "text/html") -> Client:
        headers = {"Accept": accept, **({"HX-Request": "true"} if htmx else {})}
        client = Client(headers=headers)
        if user is not None:
            client.force_login(user)
        return client

    return make
