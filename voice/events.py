"""Every fact that a call emits, as small frozen dataclasses on the call's clock.

A call *is* its ordered list of events: transcript, latency, cost, the live page and replay are read from
it and nothing is recorded twice. `at` is seconds from the start of the call. `turn` counts the caller's
turns from 1; turn 0 is what the agent says before the caller has spoken.

`encode` and `decode` turn an event into plain JSON data and back; `EVENT_TYPES` maps the wire names.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

EVENT_TYPES: dict[str, type[Event]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Base of all events."""

    type: ClassVar[str] = ""

    at: float

    def __init_subclass__(cls) -> None:
        EVENT_TYPES[cls.type] = cls


@dataclass(frozen=True, slots=True)
class Word:
    """One spoken word; `start` and `end` are seconds on the call's clock."""

    text: str
    start: float
    end: float


# --- the call -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class CallStarted(Event):
    """The first event of a call. `spec` is the agent's AgentSpec, in which there is no secret, as JSON data;
    `variables` are those that the call begins with."""

    type: ClassVar[str] = "call.started"

    call_id: str
    agent: str
    spec: dict[str, Any] = dataclasses.field(default_factory=dict)
    variables: dict[str, Any] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEnded(Event):
    """The last event of a call. `reason` is an `EndReason` value; `detail` is for people."""

    type: ClassVar[str] = "call.ended"

    reason: str
    detail: str = ""


# --- listening ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerSpeechStarted(Event):
    """Voice activity began. `onset` is when the sound began; `at` is when it was certain."""

    type: ClassVar[str] = "caller.speech_started"

    onset: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerSpeechStopped(Event):
    """Voice activity ended. `offset` is when the sound ended; `at` is when it was certain."""

    type: ClassVar[str] = "caller.speech_stopped"

    offset: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerPartial(Event):
    """Words recognised so far in the turn that is being spoken; replaced by the next one."""

    type: ClassVar[str] = "caller.partial"

    turn: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerSegment(Event):
    """The final words of one stretch of speech, and how long recognition took (`took`, seconds)."""

    type: ClassVar[str] = "caller.segment"

    turn: int
    text: str
    provider: str
    audio_seconds: float
    took: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnDecision(Event):
    """Whether the caller has finished. `by` names what decided: a model, silence, text."""

    type: ClassVar[str] = "turn.decision"

    turn: int
    verdict: Literal["finished", "waiting"]
    by: str
    probability: float | None = None
    wait: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerTurn(Event):
    """The caller's finished turn. `started`/`ended` bound the sound; equal to `at` for typed text."""

    type: ClassVar[str] = "caller.turn"

    turn: int
    text: str
    started: float
    ended: float
    source: Literal["speech", "typed", "keypad"] = "speech"


@dataclass(frozen=True, slots=True, kw_only=True)
class InterruptionIgnored(Event):
    """A sound over the agent that was no interruption: a cough, "mm-hm", the agent's own echo, someone farther away."""

    type: ClassVar[str] = "caller.interruption_ignored"

    turn: int
    text: str
    reason: Literal["backchannel", "no_words", "echo", "background"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DigitPressed(Event):
    """The caller pressed a key: 0-9, *, #, A-D."""

    type: ClassVar[str] = "caller.digit"

    digit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientMessage(Event):
    """The caller's application sent a message."""

    type: ClassVar[str] = "caller.message"

    data: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListeningFinished(Event):
    """A recogniser's work on this call is over; `billed_seconds` is the audio that it charges for."""

    type: ClassVar[str] = "caller.listening_finished"

    provider: str
    billed_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineJudged(Event):
    """Who answered an outbound call, and what gave it away."""

    type: ClassVar[str] = "caller.judged"

    verdict: Literal["human", "machine_voicemail", "machine_ivr", "machine_unavailable", "uncertain"]
    reason: str


# --- thinking -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRequested(Event):
    """A request to the language model: exactly what it was sent. `speculative` if the turn was not yet certain."""

    type: ClassVar[str] = "model.requested"

    turn: int
    request: str
    provider: str
    model: str
    messages: list[dict[str, Any]]
    tools: list[str]
    speculative: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFirstToken(Event):
    type: ClassVar[str] = "model.first_token"

    turn: int
    request: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFinished(Event):
    """`finish` is "stop", "length", "tool_calls", "cancelled", "error", "too_slow" or "lost_race" (another model was
    first; this one costs all the same). Token counts are None where not reported; those of audio are part of the
    others, and only speech-to-speech models have them."""

    type: ClassVar[str] = "model.finished"

    turn: int
    request: str
    text: str
    finish: str
    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    input_audio_tokens: int | None = None
    output_audio_tokens: int | None = None
    cached_audio_tokens: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCalled(Event):
    type: ClassVar[str] = "tool.called"

    turn: int
    tool_call: str
    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolReturned(Event):
    """`error` is empty on success. `took` is seconds."""

    type: ClassVar[str] = "tool.returned"

    turn: int
    tool_call: str
    name: str
    result: str
    error: str = ""
    took: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class KnowledgeSearched(Event):
    """What the knowledge base gave for a turn. `passages` have `text`, `source` and `score`."""

    type: ClassVar[str] = "knowledge.searched"

    turn: int
    query: str
    passages: list[dict[str, Any]]
    took: float


@dataclass(frozen=True, slots=True, kw_only=True)
class VariableSet(Event):
    """A variable of the call has a new value. `by` names the tool, or what else set it."""

    type: ClassVar[str] = "variable.set"

    name: str
    value: Any
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepEntered(Event):
    """The call goes on in another step of its flow. `because` says what led there: a route, a condition, a key."""

    type: ClassVar[str] = "flow.step"

    turn: int
    step: str
    name: str
    kind: str
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotAsked(Event):
    """The caller is asked for a field. `attempt` counts from 1, `why` says what for."""

    type: ClassVar[str] = "flow.asked"

    turn: int
    step: str
    slot: str
    attempt: int
    why: Literal["first", "again", "confirm"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotHeard(Event):
    """What the caller's answer was taken for. `by` is what understood it; `detail` says what was wrong with it."""

    type: ClassVar[str] = "flow.heard"

    turn: int
    step: str
    slot: str
    verdict: Literal["filled", "refused", "not_understood", "confirmed", "denied", "skipped"]
    value: Any = None
    by: Literal["words", "keypad", "model"] = "words"
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardrailApplied(Event):
    """A caller named a topic that the agent refuses, or the agent was about to say what it never says. `rule` is the
    topic or the words, `text` where they stood; `then` is "refused", "replaced", or "said" where nothing could stop
    it."""

    type: ClassVar[str] = "guardrail.applied"

    turn: int
    kind: Literal["topic", "never_say"]
    rule: str
    text: str
    then: Literal["refused", "replaced", "said"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookAsked(Event):
    """Somebody's program was asked before the call began. `request` and `answer` are JSON data without secrets; `error`
    says why the answer was not used, and the call goes on without it. `took` is in seconds."""

    type: ClassVar[str] = "webhook.asked"

    url: str
    request: dict[str, Any]
    answer: Any = None
    status: int = 0
    took: float = 0.0
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimDoubted(Event):
    """The agent said that it had done something, and no tool had. `then` is "noted", or "corrected" aloud."""

    type: ClassVar[str] = "claim.doubted"

    turn: int
    claim: str
    then: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentLogged(Event):
    """A text agent's own note: a log line, or a measurement where `value` is set. One named `speech_leak` holds what a
    model has printed for a machine, and what was therefore not spoken."""

    type: ClassVar[str] = "agent.logged"

    name: str
    level: str = "info"
    text: str = ""
    value: float | None = None
    data: dict[str, Any] = dataclasses.field(default_factory=dict)


# --- speaking -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechRequested(Event):
    """A piece of text sent to the voice. `text` is what is shown, `spoken` what the voice was given."""

    type: ClassVar[str] = "speech.requested"

    turn: int
    request: str
    provider: str
    voice: str
    text: str
    spoken: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechFirstAudio(Event):
    type: ClassVar[str] = "speech.first_audio"

    turn: int
    request: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechFinished(Event):
    type: ClassVar[str] = "speech.finished"

    turn: int
    request: str
    characters: int
    audio_seconds: float
    cached: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentSpeechStarted(Event):
    """The first audio of a reply left for the caller, who hears it `playout_delay` seconds later."""

    type: ClassVar[str] = "agent.speech_started"

    turn: int
    playout_delay: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentHeard(Event):
    """Words that the caller has really heard, in order; a reply emits several of these, in pieces."""

    type: ClassVar[str] = "agent.heard"

    turn: int
    words: list[Word]


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentBackchannel(Event):
    """The agent showed in a pause of the caller's that it listens. It takes no turn."""

    type: ClassVar[str] = "agent.backchannel"

    turn: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentHesitated(Event):
    """There was no answer yet, and the agent said what people say while they think: the first words of its turn."""

    type: ClassVar[str] = "agent.hesitated"

    turn: int
    text: str
    seconds: float
    """How long it takes to say them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentTurn(Event):
    """The end of what the agent said in one turn. `unheard` is what was cut off before it was heard."""

    type: ClassVar[str] = "agent.turn"

    turn: int
    text: str
    started: float
    ended: float
    interrupted: bool = False
    unheard: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DigitsSent(Event):
    """The agent sent keypad tones, in the audio or out of band."""

    type: ClassVar[str] = "agent.digits"

    digits: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientTold(Event):
    """The agent sent a message to the caller's application."""

    type: ClassVar[str] = "agent.message"

    data: dict[str, Any]


# --- changes ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingChanged(Event):
    """The call goes on with another `language` or `voice`."""

    type: ClassVar[str] = "call.setting"

    name: Literal["language", "voice"]
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentSwitched(Event):
    """Another agent of the team goes on with the call."""

    type: ClassVar[str] = "call.handed_off"

    turn: int
    agent: str
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferStarted(Event):
    """The caller is being given to somebody else."""

    type: ClassVar[str] = "transfer.started"

    to: str
    warm: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferFinished(Event):
    """`outcome` says how it went; `detail` is for people."""

    type: ClassVar[str] = "transfer.finished"

    to: str
    outcome: Literal["transferred", "failed"]
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingPaused(Event):
    """From `at` on silence is recorded, because of `reason`."""

    type: ClassVar[str] = "recording.paused"

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingResumed(Event):
    type: ClassVar[str] = "recording.resumed"


# --- trouble ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class InactivityNoticed(Event):
    type: ClassVar[str] = "call.inactive"

    step: Literal["check_in", "farewell"]
    silent_for: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetSpent(Event):
    """The money for the call is used up: the caller is told, at `warning` that the call goes on `until` then."""

    type: ClassVar[str] = "call.budget_spent"

    step: Literal["warning", "farewell"]
    until: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderSlow(Event):
    """A provider has kept the caller waiting, for a queue or for itself; `waited` is seconds so far."""

    type: ClassVar[str] = "provider.slow"

    turn: int
    role: str
    provider: str
    waited: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderFailed(Event):
    """A provider did not do its work. `then` says what the call did about it."""

    type: ClassVar[str] = "provider.failed"

    turn: int
    role: str
    provider: str
    error: str
    then: str


def encode(event: Event) -> dict[str, Any]:
    """An event as JSON data: its fields and `type`."""
    return {"type": event.type, **dataclasses.asdict(event)}


def decode(data: dict[str, Any]) -> Event:
    """The event that `encode` made `data` of. Unknown fields are an error: KeyError or TypeError."""
    fields = dict(data)
    cls = EVENT_TYPES[fields.pop("type")]
    if "words" in fields:
        fields["words"] = [Word(**word) for word in fields["words"]]
    return cls(**fields)
