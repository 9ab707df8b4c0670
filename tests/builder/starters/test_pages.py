"""Agents from a few answers and from a sentence."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.urls import reverse

from accounts.models import Organization, User
from builder import engine
from builder.models import Agent
from builder.starters import STYLE
from tests.builder.pages import html
from tests.conftest import ClientFactory, ConnectionFactory
from tests.voice.fakes import Answer, FakeLlm
from voice.providers.base import ToolRequest

pytestmark = pytest.mark.django_db

ANSWERS = {
    "business": "Willow Hair",
    "kind": "a hairdresser",
    "agent_name": "Ava",
    "task": "book",
    "hours": "We are open Tuesday to Saturday",
    "address": "7 Orchard Road",
    "services": "A haircut costs 45 dollars.",
    "facts": "",
    "transfer": "+1 415 555 0100",
    "tone": "formal",
}
IDEA = {
    "name": "Dental desk",
    "prompt": "You answer the phone of [name].",
    "greeting": "Hello?",
    "tools": [{"name": "book", "description": "Books an appointment."}],
    "variables": [{"name": "practice", "default": "Smile"}],
}


class Writer(FakeLlm):
    async def close(self) -> None:
        pass


@pytest.fixture
def writes(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Has a model answer."""

    def answer(*answers: Answer) -> Writer:
        writer = Writer(*answers, first=0.0, token=0.0)
        monkeypatch.setattr(engine, "own_llm", lambda access: writer)
        return writer

    return answer


class TestGuided:
    def test_answers_become_a_prompt(self, client_for: ClientFactory, member: User, workspace: Organization) -> None:
        client_for(member).post(reverse("agent_guided", args=[workspace.slug]), ANSWERS)
        agent = Agent.objects.get()
        config = agent.draft_config
        assert agent.name == "Ava at Willow Hair"
        assert config.greeting == "Hello, this is Ava at Willow Hair. How can I help you?"
        for part in (
            STYLE,
            "We are at 7 Orchard Road.",
            "We are open Tuesday to Saturday.",
            "A haircut costs 45 dollars.",
            "Be polite and formal",
            "Never say that it is booked.",
        ):
            assert part in config.prompt
        assert [one.to for one in config.transfers] == ["+14155550100"]

    def test_what_is_missing_is_asked_for(
        self, client_for: ClientFactory, member: User, workspace: Organization
    ) -> None:
        url = reverse("agent_guided", args=[workspace.slug])
        response = client_for(member).post(url, {**ANSWERS, "business": "", "transfer": "the desk"})
        assert response.status_code == 422
        assert "is no phone number" in html(response)
        assert not Agent.objects.exists()


class TestSentence:
    def url(self, workspace: Organization) -> str:
        return reverse("agent_sentence", args=[workspace.slug])

    def test_without_a_model_the_form_is_offered_instead(
        self, client_for: ClientFactory, member: User, workspace: Organization
    ) -> None:
        page = html(client_for(member).get(self.url(workspace)))
        assert "No model here can write a draft" in page
        assert reverse("agent_guided", args=[workspace.slug]) in page
        gallery = html(client_for(member).get(reverse("agent_new", args=[workspace.slug])))
        assert self.url(workspace) not in gallery

    @pytest.mark.parametrize(
        "answer",
        [ToolRequest("c", "write_agent", json.dumps(IDEA)), f"Here it is:\n```json\n{json.dumps(IDEA)}\n```"],
        ids=["by tool", "in words"],
    )
    def test_a_draft_is_read_before_it_becomes_an_agent(
        self,
        answer: Any,
        client_for: ClientFactory,
        member: User,
        workspace: Organization,
        connection_factory: ConnectionFactory,
        writes: Any,
    ) -> None:
        connection, writer, client = connection_factory(), writes(answer), client_for(member)
        sentence = "Answers the phone for my dental practice"
        page = html(client.post(self.url(workspace), {"sentence": sentence, "connection": connection.pk}))
        assert writer.asked[0][-1] == {"role": "user", "content": sentence}
        for part in ("You answer the phone of [name].", "Books an appointment.", "practice = Smile"):
            assert part in page
        assert not Agent.objects.exists()
        read = {
            "name": "Desk",
            "prompt": "You answer the phone of Smile.",
            "greeting": "Hello?",
            "variables": "practice = Smile",
            "connection": connection.pk,
            "tools": "[]",
        }
        client.post(self.url(workspace), read)
        config = Agent.objects.get().draft_config
        assert config.prompt == "You answer the phone of Smile."
        assert [(one.name, one.default) for one in config.variables] == [("practice", "Smile")]
        assert config.model.connection == connection.pk

    def test_an_answer_that_is_no_draft_is_said_and_nothing_is_made(
        self,
        client_for: ClientFactory,
        member: User,
        workspace: Organization,
        connection_factory: ConnectionFactory,
        writes: Any,
    ) -> None:
        connection = connection_factory()
        writes("I cannot do that.")
        data = {"sentence": "Answers the phone", "connection": connection.pk}
        response = client_for(member).post(self.url(workspace), data)
        assert response.status_code == 422
        assert "did not answer with a draft" in html(response)
        assert not Agent.objects.exists()
