"""An agent as it is in one call: what its web hook wants to be otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from builder import webhook
from builder.compile import CompiledAgent
from voice.events import WebhookAsked


async def personalised(
    compiled: CompiledAgent, known: Mapping[str, object]
) -> tuple[CompiledAgent, dict[str, object], list[WebhookAsked]]:
    """The agent of one call, the variables that its web hook has set, and the event that tells of it. `known` are the
    variables that the call begins with."""
    if compiled.webhook is None:
        return compiled, {}, []
    answer, asked = await webhook.ask(compiled.webhook, known, compiled.spec.variables)
    spec = answer.applied(compiled.spec)
    (service, voice), *others = compiled.voices
    voices = ((service, voice.model_copy(update={"id": spec.voice.id})), *others)
    return replace(compiled, spec=spec, voices=voices), answer.variables, [asked]
