"""The WebSocket of a test call: the caller is a page in a browser.

    wss /ws/w/<workspace>/agents/<agent_id>/test-call/      ?call=<id>&after=<sequence> to come back to a call

Binary messages are frames of audio, text messages are JSON; docs/test-call.md has them all.
"""

from __future__ import annotations

import asyncio
import uuid
from typing import Annotated, Any, Literal
from urllib.parse import parse_qs

import structlog
from channels.generic.websocket import AsyncWebsocketConsumer
from django.http import Http404
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from accounts.access import get_membership, require_role
from accounts.models import Role, User
from builder.access import get_agent
from builder.models import Agent
from core.errors import ApiError, ErrorCode
from telephony import runtime, selectors
from telephony.browser import Outbox
from telephony.live import NORMAL_CLOSURE, CallFacts, LiveCall, event_message
from telephony.models import Call
from telephony.runtime import in_thread
from voice.conversation import EndReason
from voice.media import FRAME_BYTES, FRAME_SECONDS

# What a network held back comes at once, but nobody speaks at double speed: audio may be so much ahead of its time,
# and make up for so much that was missing.
AHEAD_SECONDS = 2.0
BEHIND_SECONDS = 10.0
BROKEN = "The call could not begin. What broke was written to the server's log, under this request id."
ERROR_CLOSURES = 4000
"""Plus the HTTP status of the error."""

log = structlog.get_logger(__name__)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Text(_Strict):
    type: Literal["text"]
    text: str = Field(min_length=1, max_length=4000)


class Digit(_Strict):
    type: Literal["digit"]
    digit: str = Field(pattern=r"^[0-9*#A-D]$")


class Message(_Strict):
    type: Literal["message"]
    data: dict[str, Any]


class HangUp(_Strict):
    type: Literal["hang_up"]


class Playout(_Strict):
    type: Literal["playout"]
    delay: float = Field(ge=0.0, allow_inf_nan=False)


class Ping(_Strict):
    type: Literal["ping"]
    n: int = 0


_messages: TypeAdapter[Text | Digit | Message | HangUp | Playout | Ping] = TypeAdapter(
    Annotated[Text | Digit | Message | HangUp | Playout | Ping, Field(discriminator="type")]
)


class TestCallConsumer(AsyncWebsocketConsumer):
    """One socket of a test call. The call outlives it: see `LiveCall.attach` and `detach`."""

    __test__ = False  # pytest, it is not one of yours

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        # Channels' own dispatch costs a task and a thread's turn for every message: too dear at fifty a second.
        self.scope, self.base_send = scope, send
        self.request_id = str(uuid.uuid4())
        await receive()
        await self.accept()
        outbox = Outbox()
        sending = asyncio.create_task(outbox.run(send), name="test call: sending")
        live = None
        try:
            with structlog.contextvars.bound_contextvars(request_id=self.request_id):
                try:
                    live = await self._join(outbox)
                except ApiError as error:
                    self._refuse(outbox, error)
                except Exception:
                    log.exception("A test call could not begin")
                    self._refuse(outbox, ApiError(ErrorCode.INTERNAL, "Server error", BROKEN))
            if live is None:
                await sending
                return
            receiving = asyncio.create_task(self._listen(live, outbox, receive), name="test call: receiving")
            done, _ = await asyncio.wait({sending, receiving}, return_when=asyncio.FIRST_COMPLETED)
            receiving.cancel()
            if outbox.overflowed:
                log.warning("A browser reads too slowly: its socket is given up", call_id=live.facts.id)
                return
            for task in done:
                task.result()
        except OSError:
            pass  # so servers say that there is nobody to send to any more
        finally:
            sending.cancel()
            if live is not None:
                live.detach(outbox)

    # --- joining

    async def _join(self, outbox: Outbox) -> LiveCall | None:
        """The call that this socket is for, a new one or one to come back to. None: it was told how that one ended."""
        user = self.scope["user"]
        if not user.is_authenticated:
            raise ApiError(ErrorCode.NOT_AUTHENTICATED, "Not signed in", "Sign in, then call again.")
        query = parse_qs(self.scope["query_string"].decode("latin-1"))
        call_id, after = query.get("call", [""])[0], query.get("after", ["-1"])[0]
        try:
            agent = await in_thread(_agent_for, user, **self.scope["url_route"]["kwargs"])
            if not call_id:
                return await runtime.current().start_call(agent=agent, user=user, outbox=outbox)
            return await self._resume(call_id, _sequence(after), agent, user, outbox)
        except Http404 as missing:
            raise ApiError(ErrorCode.NOT_FOUND, "Not found", str(missing)) from None

    async def _resume(self, call_id: str, after: int, agent: Agent, user: User, outbox: Outbox) -> LiveCall | None:
        call, missed = await in_thread(_missed, user, agent, call_id, after)
        live = runtime.current().calls.get(call_id)
        if live is not None:
            live.attach(outbox, missed, after=after)
            return live
        # It may have ended since, or long ago.
        call, missed = await in_thread(_missed, user, agent, call_id, after)
        if call.state == Call.State.LIVE:
            raise Http404("This call is held by another server.")
        facts = CallFacts.of(call)
        outbox.message(facts.ready(resumed=True))
        for sequence, data in missed:
            outbox.message(event_message(sequence, data))
        outbox.message(facts.ended(call.end_reason, call.end_detail))
        outbox.close(NORMAL_CLOSURE)
        return None

    # --- listening

    async def _listen(self, live: LiveCall, outbox: Outbox, receive: Any) -> None:
        """Hand everything that comes to the conversation, until the socket is gone."""
        hear, clock = live.conversation.on_audio, live.conversation.clock.now
        spoken, complained = clock(), -1.0
        while (message := await receive())["type"] == "websocket.receive":
            frame = message.get("bytes")
            if frame is None:
                self._read(live, outbox, message["text"])
                continue
            if len(frame) != FRAME_BYTES:
                self._complain(outbox, f"Audio comes in frames of {FRAME_BYTES} bytes; this one has {len(frame)}.")
                continue
            now = clock()
            if spoken < now + AHEAD_SECONDS:
                spoken = max(spoken, now - BEHIND_SECONDS) + FRAME_SECONDS
                hear(frame)
            elif complained < now - 1.0:
                complained = now
                self._complain(outbox, "Audio comes faster than anybody speaks. Some of it is dropped.")

    def _read(self, live: LiveCall, outbox: Outbox, text: str) -> None:
        try:
            message = _messages.validate_json(text)
        except ValidationError as error:
            problem = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(str(part) for part in problem["loc"])
            self._complain(outbox, f"{place}: {problem['msg']}" if place else problem["msg"])
            return
        match message:
            case Text():
                live.conversation.on_text(message.text)
            case Digit():
                live.conversation.on_digit(message.digit)
            case Message():
                live.conversation.on_message(message.data)
            case HangUp():
                live.conversation.end(EndReason.CALLER)
            case Playout():
                live.transport.measured(message.delay)
            case Ping():
                outbox.message({"type": "pong", "n": message.n})

    # --- errors

    def _complain(self, outbox: Outbox, message: str) -> None:
        self._say_error(outbox, ApiError(ErrorCode.INVALID_EVENT, "Invalid message", message))

    def _refuse(self, outbox: Outbox, error: ApiError) -> None:
        self._say_error(outbox, error)
        outbox.close(ERROR_CLOSURES + error.status)

    def _say_error(self, outbox: Outbox, error: ApiError) -> None:
        outbox.message({"type": "error", "error": error.as_dict(self.request_id)})


def _agent_for(user: User, workspace: str, agent_id: str) -> Agent:
    """404 before 403: who is a stranger, or asks for an agent that is not there, learns nothing."""
    membership = get_membership(user, workspace)
    agent = get_agent(membership.organization, agent_id)
    require_role(membership.role, Role.MEMBER)
    return agent


def _missed(user: User, agent: Agent, call_id: str, after: int) -> tuple[Call, list[tuple[int, dict[str, Any]]]]:
    """A call that this user made to this agent, and its stored events behind number `after`."""
    calls = Call.objects.select_related("organization", "agent", "version")
    call = calls.filter(pk=call_id, agent=agent, started_by=user).first()
    if call is None:
        raise Http404("No such call.")
    return call, selectors.events_after(call, after)


def _sequence(text: str) -> int:
    try:
        return max(-1, int(text))
    except ValueError:
        raise ApiError(ErrorCode.INVALID_REQUEST, "Invalid request", "after is a sequence number.") from None
