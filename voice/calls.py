"""Which kind of call an agent's services make."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from voice.call import Call
from voice.conversation import Conversation
from voice.events import Event
from voice.media.recording import Recorder
from voice.realtime import RealtimeConversation
from voice.services import RealtimeServices, Services
from voice.spec import AgentSpec
from voice.transport import Transport


def make_call(
    *,
    call_id: str,
    spec: AgentSpec,
    services: Services | RealtimeServices,
    transport: Transport,
    sink: Callable[[Event], None],
    recorder: Recorder | None = None,
    variables: Mapping[str, object] | None = None,
    before: Sequence[Event] = (),
) -> Call:
    """A call of the kind that `services` are for. See `Call` for how it is used."""
    if isinstance(services, RealtimeServices):
        return RealtimeConversation(
            call_id=call_id,
            spec=spec,
            services=services,
            transport=transport,
            sink=sink,
            recorder=recorder,
            variables=variables,
            before=before,
        )
    return Conversation(
        call_id=call_id,
        spec=spec,
        services=services,
        transport=transport,
        sink=sink,
        recorder=recorder,
        variables=variables,
        before=before,
    )
