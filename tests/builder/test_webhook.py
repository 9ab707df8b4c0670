"""The web hook before a call: what it is sent, what it may change, and that nothing it does wrong costs a call."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from asgiref.sync import async_to_sync

from accounts.models import User
from builder import webhook
from builder.compile import AgentNotReady, CompiledAgent, compile_config
from builder.config import AgentConfig
from builder.personal import personalised
from builder.tools.models import Secret
from core import http
from tests.builder.pages import address, html
from tests.conftest import AgentFactory, ClientFactory
from voice.events import WebhookAsked
from voice.spec import Variable

HOOK = "https://crm.example.org/calls?from={{system__caller_id}}"
KNOWN = {"plan": "basic", "system__caller_id": "+49 12", "system__agent_name": "Ada", "system__channel": "sip"}
Answering = Callable[[httpx.Request], httpx.Response]


@pytest.fixture
def crm(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], list[httpx.Request]]:
    """Somebody's program, which answers so to everything; the requests that it gets."""

    def serve(answer: Any, status: int = 200) -> list[httpx.Request]:
        seen: list[httpx.Request] = []

        def answered(request: httpx.Request) -> httpx.Response:
            seen.append(request)
            if isinstance(answer, Exception):
                raise answer
            return httpx.Response(status, content=answer if isinstance(answer, str) else json.dumps(answer))

        monkeypatch.setattr(
            http, "async_client", lambda **_: httpx.AsyncClient(transport=httpx.MockTransport(answered))
        )
        return seen

    return serve


async def ask(**hook: Any) -> tuple[webhook.Answer, WebhookAsked]:
    declared = (Variable(name="visits", type="number"),)
    return await webhook.ask(webhook.BoundWebhook(HOOK, **hook), KNOWN, declared)


async def test_it_is_sent_what_is_known_of_the_call(crm: Any) -> None:
    seen = crm({})
    await ask(token="s3cret")
    (request,) = seen
    assert str(request.url) == "https://crm.example.org/calls?from=%2B49%2012"
    assert request.headers["Authorization"] == "Bearer s3cret"
    sent = json.loads(request.content)
    assert sent["event"] == "call.starting"
    assert (sent["call"]["from"], sent["call"]["channel"], sent["call"]["agent_name"]) == ("+49 12", "sip", "Ada")
    assert sent["variables"] == {"plan": "basic"}


async def test_it_sets_variables_as_they_are_declared(crm: Any) -> None:
    crm({"variables": {"visits": "7", "name": "Ann"}})
    answer, asked = await ask()
    assert answer.variables == {"visits": 7, "name": "Ann"}
    assert (asked.status, asked.error) == (200, "")


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ("<html>", 200, "did not answer in JSON"),
        ("{}", 500, "answered with status 500"),
        ('{"variables": {"visits": "many"}}', 200, "visits: “many” is no number"),
        ('{"variables": {"system__time": "x"}}', 200, "cannot be set"),
        ('{"overrides": {"promt": "x"}}', 200, "overrides.promt"),
        ("[]", 200, "The answer"),
        (httpx.ConnectError("nobody is there"), 0, "nobody is there"),
        (httpx.ReadTimeout("late"), 0, "within 3 s"),
    ],
)
async def test_what_it_does_wrong_is_told_and_changes_nothing(crm: Any, body: Any, status: int, words: str) -> None:
    crm(body, status)
    answer, asked = await ask()
    assert words in asked.error
    assert answer == webhook.Answer()


async def test_no_answer_is_an_answer(crm: Any) -> None:
    crm("", 204)
    answer, asked = await ask()
    assert (answer, asked.error) == (webhook.Answer(), "")


async def test_its_secret_is_in_no_event(crm: Any) -> None:
    crm({"variables": {"echo": "s3cret"}})
    _, asked = await ask(token="s3cret")
    assert "s3cret" not in repr(asked)


@pytest.mark.django_db
class TestAgents:
    def compiled(self, made: AgentFactory, **hook: Any) -> CompiledAgent:
        return compile_config(made(), AgentConfig.model_validate({"webhook": {"url": HOOK, **hook}, "prompt": "Old."}))

    def test_a_call_runs_what_it_wants(self, crm: Any, agent_factory: AgentFactory) -> None:
        crm(
            {
                "variables": {"name": "Ann"},
                "overrides": {"prompt": "New.", "greeting": "Hi {{name}}.", "voice": "am_puck"},
                "refuse": {"say": "Closed."},
            }
        )
        made, variables, (asked,) = async_to_sync(personalised)(self.compiled(agent_factory), KNOWN)
        assert (made.spec.prompt, made.spec.greeting, made.spec.refusal) == ("New.", "Hi {{name}}.", "Closed.")
        assert [voice.id for _, voice in made.voices] == ["am_puck"]
        assert (variables, asked.error) == ({"name": "Ann"}, "")

    def test_an_agent_without_one_is_as_it_is(self, agent_factory: AgentFactory) -> None:
        compiled = compile_config(agent_factory(), AgentConfig())
        assert async_to_sync(personalised)(compiled, KNOWN) == (compiled, {}, [])

    def test_a_secret_that_is_gone_is_told(self, agent_factory: AgentFactory) -> None:
        with pytest.raises(AgentNotReady, match="The secret crm of the web hook was deleted"):
            self.compiled(agent_factory, secret="crm")

    def test_the_secret_is_one_of_the_workspace(self, agent_factory: AgentFactory, workspace: Any) -> None:
        Secret.objects.create(organization=workspace, name="crm", value="s3cret")
        hook = self.compiled(agent_factory, secret="crm", timeout=1.5).webhook
        assert hook is not None
        assert (hook.token, hook.timeout) == ("s3cret", 1.5)

    def test_a_member_tries_it_on_the_page(
        self, crm: Any, client_for: ClientFactory, member: User, agent_factory: AgentFactory
    ) -> None:
        crm({"variables": {"name": "Ann"}})
        agent = agent_factory(config=AgentConfig.model_validate({"webhook": {"url": HOOK}}))
        client = client_for(member)
        assert "Asks what is saved" in html(client.get(address("agent", agent)))
        page = html(client.post(address("agent_webhook_test", agent)))
        assert "It works" in page
        assert "&quot;Ann&quot;" in page
        nothing = client.post(address("agent_webhook_test", agent_factory("Other")))
        assert (nothing.status_code, "Write its address first" in html(nothing)) == (422, True)

    def test_trying_it_asks_what_is_saved_whatever_is_sent_along(
        self, crm: Any, client_for: ClientFactory, member: User, agent_factory: AgentFactory, workspace: Any
    ) -> None:
        Secret.objects.create(organization=workspace, name="crm", value="s3cret")
        seen = crm({})
        agent = agent_factory(config=AgentConfig.model_validate({"webhook": {"url": HOOK}}))
        sent = {"webhook_url": "https://elsewhere.example.org/", "webhook_secret": "crm"}
        client_for(member).post(address("agent_webhook_test", agent), sent)
        (request,) = seen
        assert (request.url.host, "Authorization" in request.headers) == ("crm.example.org", False)
