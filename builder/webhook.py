"""The web hook before a call: a program of the user's may set variables, change the agent for a call, or refuse it.

It is sent, as JSON, `{"event": "call.starting", "variables": {...}, "call": {...}}`, the call with `id`, `agent_id`,
`agent_name`, `channel`, `direction`, `from` and `to`, and answers with any of

    {"variables": {"customer_name": "Ann"},
     "overrides": {"prompt": "...", "greeting": "...", "voice": "am_puck", "language": "en"},
     "refuse": {"say": "We are closed today."}}

Nothing that it does wrong costs the caller more than `timeout` seconds: the call then goes on as it would without it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any
from urllib.parse import quote

import httpx
from pydantic import Field, ValidationError

from builder.tools.secrecy import Mask
from core import http
from voice.events import WebhookAsked
from voice.frozen import Frozen
from voice.spec import AgentSpec, Variable
from voice.values import SYSTEM_PREFIX, in_letters
from voice.variables import Variables, checked, render

LARGEST = 256 * 1024
"""Bytes of an answer that are read."""


@dataclass(frozen=True, slots=True)
class BoundWebhook:
    """Whom to ask, with the value of its secret. `timeout` is in seconds."""

    url: str
    token: str = field(default="", repr=False)
    timeout: float = 3.0


class Overrides(Frozen):
    """What is otherwise in this call. None leaves it as it is; `voice` is an id of the same provider."""

    prompt: str | None = Field(None, max_length=40_000)
    greeting: str | None = Field(None, max_length=1_000)
    voice: str | None = Field(None, min_length=1, max_length=200)
    language: str | None = Field(None, pattern=r"^[a-z]{2}$")


class Refusal(Frozen):
    say: str = Field("", max_length=1_000)


class Answer(Frozen):
    """What the program wants."""

    variables: dict[str, Any] = Field(default_factory=dict)
    overrides: Overrides = Overrides()
    refuse: Refusal | None = None

    def applied(self, spec: AgentSpec) -> AgentSpec:
        """The agent as it is in this call."""
        changes = self.overrides.model_dump(exclude_none=True, exclude={"voice"})
        if self.overrides.voice:
            changes["voice"] = spec.voice.model_copy(update={"id": self.overrides.voice})
        if self.refuse is not None:
            changes["refusal"] = self.refuse.say
        return spec.model_copy(update=changes)


async def ask(
    hook: BoundWebhook, variables: Mapping[str, object], declared: tuple[Variable, ...]
) -> tuple[Answer, WebhookAsked]:
    """Ask, and give what came of it; an empty answer where that is nothing of use. Never raises.

    `variables` are those that the call begins with, and what it knows of itself.
    """
    known, mask, started = Variables(variables, declared=declared), Mask({"token": hook.token}), perf_counter()
    request, url = _request(known), render(hook.url, known, written=_in_address)
    status, body, error, answer = 0, None, "", Answer()
    try:
        status, content = await _exchange(hook, url, request)
        body = json.loads(content) if content.strip() else {}
        answer = _read(body, declared)
    except httpx.TimeoutException:
        error = f"It did not answer within {hook.timeout:g} s."
    except json.JSONDecodeError:
        error = "It did not answer in JSON."
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as failure:
        error = str(failure) or type(failure).__name__
    return answer, WebhookAsked(
        at=0.0,
        url=mask(url),
        request=request,
        answer=mask.data(body),
        status=status,
        took=round(perf_counter() - started, 3),
        error=mask(error),
    )


async def _exchange(hook: BoundWebhook, url: str, request: Mapping[str, Any]) -> tuple[int, bytes]:
    """The status and the body of the answer. Raises httpx.HTTPError and ValueError."""
    headers = {"Authorization": f"Bearer {hook.token}"} if hook.token else {}
    async with http.async_client(
        timeout=hook.timeout, total=hook.timeout, max_bytes=LARGEST, own_machine=True
    ) as client:
        response = await client.post(url, json=request, headers=headers)
    if not response.is_success:
        raise ValueError(f"It answered with status {response.status_code}.")
    return response.status_code, response.content


def _read(body: object, declared: tuple[Variable, ...]) -> Answer:
    """What a body says. Raises ValueError, which says what is wrong with it."""
    try:
        answer = Answer.model_validate(body)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        raise ValueError(f"{'.'.join(map(str, problem['loc'])) or 'The answer'}: {problem['msg']}") from None
    return answer.model_copy(update={"variables": checked(answer.variables, declared)})


def _in_address(value: object) -> str:
    return quote(in_letters(value), safe="")


def _request(known: Variables) -> dict[str, Any]:
    facts = known.facts()
    call = {
        "id": "call_id",
        "agent_id": "agent_id",
        "agent_name": "agent_name",
        "channel": "channel",
        "direction": "call_direction",
        "from": "caller_id",
        "to": "called_number",
    }
    return {
        "event": "call.starting",
        "call": {name: known[SYSTEM_PREFIX + fact] for name, fact in call.items()},
        "variables": {name: value for name, value in facts.items() if not name.startswith(SYSTEM_PREFIX)},
    }
