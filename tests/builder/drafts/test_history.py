"""Undo and redo of a draft, edits that meet, and what the page's script is told of them."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from accounts.models import User
from builder import services
from builder.config import AgentConfig
from builder.drafts import history
from builder.models import Agent
from core.errors import ApiError, ErrorCode
from tests.builder.pages import address, page_data
from tests.conftest import AgentFactory, ClientFactory, VersionFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def agent(agent_factory: AgentFactory) -> Agent:
    return agent_factory()


def edit(agent: Agent, actor: User, *, name: str = "", **changes: Any) -> None:
    agent.refresh_from_db()
    config = agent.draft_config.model_copy(update=changes)
    services.agent_save_draft(
        agent=agent, actor=actor, name=name or agent.name, config=config, revision=agent.draft_revision
    )
    agent.refresh_from_db()


def undo(agent: Agent, actor: User) -> str:
    done, what = services.agent_undo(agent=agent, actor=actor, revision=agent.draft_revision)
    agent.refresh_from_db()
    assert done.draft_revision == agent.draft_revision
    return what


def redo(agent: Agent, actor: User) -> str:
    what = services.agent_redo(agent=agent, actor=actor, revision=agent.draft_revision)[1]
    agent.refresh_from_db()
    return what


class TestUndo:
    def test_it_goes_back_edit_by_edit_and_forth_again(self, agent: Agent, member: User) -> None:
        edit(agent, member, prompt="One.")
        edit(agent, member, greeting="Two.")
        edit(agent, member, name="Three")
        assert [undo(agent, member) for _ in range(4)] == ["Name", "Greeting", "Prompt", ""]
        assert (agent.name, agent.draft_config.prompt) == ("Reception", "Answer the phone.")
        assert [redo(agent, member) for _ in range(4)] == ["Prompt", "Greeting", "Name", ""]
        assert (agent.name, agent.draft_config.prompt, agent.draft_config.greeting) == ("Three", "One.", "Two.")

    def test_after_another_edit_there_is_nothing_to_redo(self, agent: Agent, member: User) -> None:
        edit(agent, member, prompt="One.")
        undo(agent, member)
        edit(agent, member, greeting="Other.")
        assert redo(agent, member) == ""
        assert undo(agent, member) == "Greeting"
        assert undo(agent, member) == ""

    def test_typing_on_is_one_step(self, agent: Agent, member: User) -> None:
        for words in ("O", "On", "One"):
            edit(agent, member, prompt=words)
        undo(agent, member)
        assert agent.draft_config.prompt == "Answer the phone."
        redo(agent, member)
        assert agent.draft_config.prompt == "One"

    def test_a_pause_or_another_person_begins_a_new_step(self, agent: Agent, member: User, owner: User) -> None:
        edit(agent, member, prompt="One.")
        edit(agent, owner, prompt="Two.")
        with time_machine.travel(timezone.now() + timedelta(minutes=1)):
            edit(agent, owner, prompt="Three.")
        seen = []
        while undo(agent, member):
            seen.append(agent.draft_config.prompt)
        assert seen == ["Two.", "One.", "Answer the phone."]

    def test_of_a_flow_it_says_which_steps(self, agent: Agent, member: User) -> None:
        def flow(*steps: dict[str, Any]) -> Any:
            return AgentConfig.model_validate({"flow": {"steps": [{"kind": "say", **step} for step in steps]}}).flow

        edit(agent, member, flow=flow({"id": "greet"}))
        edit(agent, member, flow=flow({"id": "greet"}, {"id": "bye", "name": "Goodbye"}))
        edit(agent, member, flow=flow({"id": "greet", "say": "Hi."}, {"id": "bye", "name": "Goodbye"}))
        edit(agent, member, flow=flow({"id": "greet", "say": "Hi.", "position": {"x": 1, "y": 2}}))
        undone = [undo(agent, member) for _ in range(4)]
        assert undone == ["Deleted Goodbye, Moved Greet", "Greet: Say", "Added Goodbye", "Added Greet"]

    def test_a_restored_version_can_be_taken_back(
        self, agent: Agent, member: User, version_factory: VersionFactory
    ) -> None:
        version = version_factory(agent)
        edit(agent, member, prompt="Draft.")
        services.agent_restore(agent=agent, actor=member, version=version)
        agent.refresh_from_db()
        assert undo(agent, member) == "Restored v1"
        assert agent.draft_config.prompt == "Draft."

    def test_only_so_many_revisions_are_kept(self, agent: Agent, member: User, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(history, "KEPT", 3)
        for number in range(6):
            edit(agent, member, **{"prompt" if number % 2 else "greeting": str(number)})
        assert agent.draft_revisions.count() == 3
        while undo(agent, member):
            pass
        assert (agent.draft_config.prompt, agent.draft_config.greeting) == ("3", "2")

    def test_on_an_older_draft_it_is_refused(self, agent: Agent, member: User) -> None:
        edit(agent, member, prompt="One.")
        with pytest.raises(ApiError) as caught:
            services.agent_undo(agent=agent, actor=member, revision=1)
        assert caught.value.code == ErrorCode.STALE_REVISION
        assert agent.draft_config.prompt == "One."


class TestTwoPeople:
    def test_edits_of_different_settings_are_both_saved(
        self, agent: Agent, member: User, owner: User, client_for: ClientFactory
    ) -> None:
        mine = page_data(agent, greeting="Mine.")
        edit(agent, owner, prompt="Theirs.")
        answer = client_for(member).post(address("agent_save", agent), mine)
        assert (answer.status_code, answer.json()["merged"], answer.json()["revision"]) == (200, True, 3)
        agent.refresh_from_db()
        assert (agent.draft_config.prompt, agent.draft_config.greeting) == ("Theirs.", "Mine.")

    def test_of_the_same_setting_both_are_shown_and_one_is_chosen(
        self, agent: Agent, member: User, owner: User, client_for: ClientFactory
    ) -> None:
        client, mine = client_for(member), page_data(agent, prompt="Mine.", greeting="Mine, too.")
        edit(agent, owner, prompt="Theirs.")
        answer = client.post(address("agent_save", agent), mine)
        assert answer.status_code == 409
        assert "Olive Owner saved other changes" in answer.json()["message"]
        assert answer.json()["conflicts"] == [
            {"place": "prompt", "label": "Prompt", "mine": "Mine.", "theirs": "Theirs."}
        ]
        chosen = {**mine, "choices": json.dumps({"prompt": "theirs"}), "seen": answer.json()["revision"]}
        assert client.post(address("agent_save", agent), chosen).status_code == 200
        agent.refresh_from_db()
        assert (agent.draft_config.prompt, agent.draft_config.greeting) == ("Theirs.", "Mine, too.")

    def test_a_choice_that_was_made_before_another_edit_does_not_count(
        self, agent: Agent, member: User, owner: User, client_for: ClientFactory
    ) -> None:
        mine = page_data(agent, prompt="Mine.", choices=json.dumps({"prompt": "mine"}), seen=2)
        edit(agent, owner, prompt="Theirs.")
        edit(agent, owner, prompt="Theirs, later.")
        answer = client_for(member).post(address("agent_save", agent), mine)
        assert answer.status_code == 409
        assert answer.json()["conflicts"][0]["theirs"] == "Theirs, later."
        agent.refresh_from_db()
        assert agent.draft_config.prompt == "Theirs, later."

    def test_a_step_that_both_changed_is_named(
        self, agent: Agent, member: User, owner: User, client_for: ClientFactory
    ) -> None:
        def flow(words: str) -> dict[str, Any]:
            return {"steps": [{"kind": "say", "id": "greet", "say": words}]}

        edit(agent, owner, flow=AgentConfig.model_validate({"flow": flow("Hello.")}).flow)
        base = agent.draft_revision
        edit(agent, owner, flow=AgentConfig.model_validate({"flow": flow("Theirs.")}).flow)
        config = json.dumps({**agent.draft, "flow": flow("Mine.")})
        answer = client_for(member).post(address("agent_save_config", agent), {"text": config, "revision": base})
        assert answer.json()["conflicts"] == [
            {"place": "flow.steps.greet.say", "label": "Greet, Say", "mine": "Mine.", "theirs": "Theirs."}
        ]


class TestViews:
    def test_the_draft_is_given_as_json_and_as_yaml(
        self, agent: Agent, member: User, client_for: ClientFactory
    ) -> None:
        answer = client_for(member).get(address("agent_draft", agent)).json()
        assert answer["config"] == agent.draft_config.as_json()
        assert answer["yaml"].startswith("callwright: 1\nname: Reception\nprompt: Answer the phone.\n")
        assert (answer["revision"], answer["undo"], answer["redo"]) == (1, "", "")

    def test_yaml_is_saved(self, agent: Agent, member: User, client_for: ClientFactory) -> None:
        text = "name: Desk\nprompt: Be kind.\n"
        answer = client_for(member).post(address("agent_save_yaml", agent), {"text": text, "revision": 1})
        assert answer.json()["undo"] == "Name, Prompt (member@example.org)"
        agent.refresh_from_db()
        assert (agent.name, agent.draft_config.prompt) == ("Desk", "Be kind.")

    def test_mistakes_in_yaml_are_told_at_their_lines_and_nothing_is_saved(
        self, agent: Agent, member: User, client_for: ClientFactory
    ) -> None:
        text = "name: Desk\nvoice:\n  speed: 9\n"
        answer = client_for(member).post(address("agent_save_yaml", agent), {"text": text, "revision": 1})
        assert answer.status_code == 422
        (problem,) = answer.json()["problems"]
        assert (problem["line"], problem["place"]) == (3, "voice.speed")
        agent.refresh_from_db()
        assert agent.draft_revision == 1

    def test_mistakes_in_json_are_told_at_their_places(
        self, agent: Agent, member: User, client_for: ClientFactory
    ) -> None:
        answer = client_for(member).post(
            address("agent_save_config", agent), {"text": '{"voice": {"speed": 9}}', "revision": 1}
        )
        assert answer.status_code == 422
        assert answer.json()["problems"][0]["place"] == "voice.speed"

    def test_undo_and_redo_say_what_they_did(self, agent: Agent, member: User, client_for: ClientFactory) -> None:
        client = client_for(member)
        edit(agent, member, prompt="One.")
        back = client.post(address("agent_undo", agent), {"revision": 2}).json()
        assert (back["what"], back["undo"], back["redo"]) == ("Prompt", "", "Prompt (member@example.org)")
        forth = client.post(address("agent_redo", agent), {"revision": 3}).json()
        assert (forth["what"], forth["redo"], forth["revision"]) == ("Prompt", "", 4)

    def test_a_viewer_may_not(self, agent: Agent, viewer: User, client_for: ClientFactory) -> None:
        client = client_for(viewer)
        for name in ("agent_save_yaml", "agent_save_config", "agent_undo", "agent_redo"):
            assert client.post(address(name, agent), {"revision": 1, "text": "name: X"}).status_code == 403
