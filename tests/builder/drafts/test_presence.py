"""Pages that have the same agent open know of each other."""

from __future__ import annotations

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from channels.testing import WebsocketCommunicator
from django.conf import settings

from accounts.models import Organization, User
from builder import services
from builder.config import AgentConfig
from builder.drafts import presence
from builder.models import Agent
from tests.conftest import AgentFactory, ClientFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def agent(agent_factory: AgentFactory) -> Agent:
    return agent_factory()


def socket(agent: Agent, workspace: Organization, client_for: ClientFactory, user: User) -> WebsocketCommunicator:
    from config.asgi import application

    session = client_for(user).cookies[settings.SESSION_COOKIE_NAME].value
    headers = [(b"host", b"localhost"), (b"origin", b"http://localhost"), (b"cookie", f"sessionid={session}".encode())]
    return WebsocketCommunicator(application, f"/ws/w/{workspace.slug}/agents/{agent.pk}/editing/", headers)


def test_they_see_who_comes_where_they_are_and_who_leaves(
    agent: Agent, workspace: Organization, client_for: ClientFactory, member: User, owner: User
) -> None:
    mine = socket(agent, workspace, client_for, member)
    theirs = socket(agent, workspace, client_for, owner)

    async def meet() -> None:
        await mine.connect()
        await mine.send_json_to({"type": "here", "view": "Guide", "place": "Prompt"})
        await theirs.connect()
        seen = await theirs.receive_json_from(timeout=5)
        assert (seen["type"], seen["name"], seen["place"], seen["yours"]) == (
            "here",
            "member@example.org",
            "Prompt",
            False,
        )
        await theirs.send_json_to({"type": "here", "view": "Flow", "place": "Greet"})
        while (seen := await mine.receive_json_from(timeout=5))["place"] != "Greet":
            pass
        assert (seen["name"], seen["initials"], seen["view"]) == ("Olive Owner", "OO", "Flow")
        await theirs.disconnect()
        assert await mine.receive_json_from(timeout=5) == {"type": "left", "window": seen["window"]}
        await mine.disconnect()

    async_to_sync(meet)()


def test_they_hear_of_what_is_saved(
    agent: Agent, workspace: Organization, client_for: ClientFactory, member: User, owner: User
) -> None:
    mine = socket(agent, workspace, client_for, member)

    async def hear() -> None:
        await mine.connect()
        config = AgentConfig(prompt="Theirs.")
        await sync_to_async(services.agent_save_draft)(
            agent=agent, actor=owner, name=agent.name, config=config, revision=1
        )
        heard = await mine.receive_json_from(timeout=5)
        assert (heard["type"], heard["revision"], heard["name"], heard["yours"]) == ("saved", 2, "Olive Owner", False)
        await mine.disconnect()

    async_to_sync(hear)()


def test_what_no_page_sends_is_passed_over(
    agent: Agent, workspace: Organization, client_for: ClientFactory, member: User, owner: User
) -> None:
    mine, theirs = (socket(agent, workspace, client_for, user) for user in (member, owner))

    async def disturb() -> None:
        await mine.connect()
        await theirs.connect()
        await mine.send_json_to({"type": "editing.left", "window": "x"})
        await mine.send_json_to({"type": "here", "view": "Flow", "place": "Still here"})
        while (seen := await theirs.receive_json_from(timeout=5))["place"] == "":
            pass
        assert seen["place"] == "Still here"
        await mine.disconnect()
        await theirs.disconnect()

    async_to_sync(disturb)()


def test_saving_goes_on_while_pages_cannot_be_told(agent: Agent, member: User, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        async def group_send(self, group: str, message: object) -> None:
            raise ConnectionError("Redis is away.")

    monkeypatch.setattr(presence, "get_channel_layer", Broken)
    config = AgentConfig(prompt="Mine.")
    saved = services.agent_save_draft(agent=agent, actor=member, name=agent.name, config=config, revision=1)
    assert saved.draft_revision == 2
