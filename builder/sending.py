"""What of an agent sends secrets to an address, which is for admins to decide."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from accounts.models import Organization, User
from accounts.selectors import is_admin
from builder.config import AgentConfig
from builder.problems.model import Problem, error
from builder.references import Place
from core.errors import ApiError, ErrorCode
from voice.flow.spec import PostStep
from voice.values import SECRET_PREFIX

FOR_ADMINS, MEND = "Only admins may send a secret to an address.", "Ask one, or leave the secret out."


@dataclass(frozen=True, slots=True)
class Sending:
    """A request with secrets: what goes together in it, and the settings that name the secrets."""

    request: Mapping[str, Any]
    places: Sequence[Place]


class SendsSecrets(ApiError):
    """An edit that only admins may make. `problems` are at the settings that name the secrets."""

    def __init__(self, places: Sequence[Place]) -> None:
        super().__init__(ErrorCode.PERMISSION_DENIED, "Not allowed", f"{FOR_ADMINS} {MEND}")
        self.problems: list[Problem] = [error(FOR_ADMINS, MEND, *place) for place in places]


def sendings(config: AgentConfig) -> Iterator[Sending]:
    """Every request of an agent's own that has secrets. Those of its tools are not its own."""
    hook = config.webhook
    if hook.url and hook.secret:
        yield Sending({"url": hook.url, "secret": hook.secret}, [("webhook", "secret")])
    for number, step in enumerate(config.flow.steps if config.flow else ()):
        if isinstance(step, PostStep) and step.url:
            request = step.model_dump(include={"url", "headers", "body"})
            naming = [name for name, value in request.items() if SECRET_PREFIX in str(value)]
            if naming:
                yield Sending(request, [("flow", "steps", number, name) for name in naming])


def require_sender(
    *, organization: Organization, actor: User, config: AgentConfig, before: AgentConfig | None = None
) -> None:
    """Raises SendsSecrets where `config` sends secrets otherwise than `before`, and `actor` is no admin: they could
    have any secret of the workspace sent to a server of theirs, and read it there."""
    known = [sending.request for sending in sendings(before)] if before else []
    places = [place for sending in sendings(config) if sending.request not in known for place in sending.places]
    if places and not is_admin(actor, organization):
        raise SendsSecrets(places)
