"""A call's events in words. The panel of a test call says the same (frontend/call/words.js)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from voice import events
from voice.events import Event

Tone = Literal["info", "warning", "error"]

ROLES: Mapping[str, str] = {
    "stt": "Speech recognition",
    "tts": "The voice",
    "llm": "The language model",
    "realtime": "The speech-to-speech model",
    "end_of_turn": "The end-of-turn model",
    "vad": "Voice detection",
    "knowledge": "The knowledge base",
    "tool": "A tool",
    "agent": "The agent",
    "transport": "The line",
    "engine": "The conversation engine",
    "flow": "The flow of the agent",
}
"""Who did what in a call."""

EVENTS: Mapping[str, str] = {
    "call.started": "The call began",
    "call.ended": "The call ended",
    "caller.speech_started": "The caller began to speak",
    "caller.speech_stopped": "The caller paused",
    "caller.partial": "Words so far",
    "caller.segment": "Words recognised",
    "turn.decision": "Whether the caller had finished",
    "caller.turn": "The caller's turn",
    "caller.interruption_ignored": "No interruption",
    "caller.digit": "The caller pressed a key",
    "caller.message": "The caller's application sent a message",
    "caller.listening_finished": "Recognition ended",
    "caller.judged": "Who answered",
    "model.requested": "The language model was asked",
    "model.first_token": "Its first token",
    "model.finished": "Its answer ended",
    "tool.called": "A tool was called",
    "tool.returned": "A tool returned",
    "knowledge.searched": "The knowledge base was searched",
    "variable.set": "A variable was set",
    "flow.step": "A step began",
    "flow.asked": "A field was asked for",
    "flow.heard": "The answer to it",
    "guardrail.applied": "A guardrail held",
    "webhook.asked": "A program was asked before the call",
    "claim.doubted": "A claim that nothing proved",
    "agent.logged": "A note of the agent's program",
    "speech.requested": "The voice was asked",
    "speech.first_audio": "Its first sound",
    "speech.finished": "Its piece ended",
    "agent.speech_started": "The agent began to speak",
    "agent.heard": "Words that the caller heard",
    "agent.backchannel": "The agent showed that it listens",
    "agent.hesitated": "The agent thought aloud",
    "agent.turn": "The agent's turn",
    "agent.digits": "The agent pressed keys",
    "agent.message": "The agent sent a message to the caller's application",
    "call.setting": "The call changed",
    "call.handed_off": "Another agent took over",
    "transfer.started": "A transfer began",
    "transfer.finished": "A transfer ended",
    "recording.paused": "The recording was paused",
    "recording.resumed": "The recording went on",
    "call.inactive": "The caller was silent",
    "call.budget_spent": "The money was used up",
    "provider.slow": "A provider was slow",
    "provider.failed": "A provider failed",
}
"""What kind of thing happened."""

JUDGED: Mapping[str, str] = {
    "human": "A person answered",
    "machine_voicemail": "A voicemail answered",
    "machine_ivr": "A phone menu answered",
    "machine_unavailable": "A machine said that nobody can be reached",
    "uncertain": "It is not certain who answered",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """What an event says in the transcript; `icon` is a Lucide name, `detail` opens below the text."""

    text: str
    tone: Tone = "info"
    icon: str = "info"
    detail: str = ""


def remark(event: Event) -> Remark | None:
    """What is said of an event in the transcript; None for those that are seen there otherwise, or only in the list."""
    match event:
        case events.InterruptionIgnored(text=text):
            heard = f"“{text}”" if text else "A sound"
            return Remark(text=f"{heard} did not interrupt the agent.", icon="ear")
        case events.InactivityNoticed(step="check_in", silent_for=silent):
            return Remark(text=f"The caller was silent for {silent:.0f} s: the agent asked.", icon="timer")
        case events.InactivityNoticed(silent_for=silent):
            text = f"The caller was silent for {silent:.0f} s: the agent hung up."
            return Remark(text=text, tone="warning", icon="timer")
        case events.BudgetSpent(step="warning", until=until):
            text = f"The money for the call was used up: the agent said so. It could go on until {until:.0f} s."
            return Remark(text=text, tone="warning", icon="timer")
        case events.BudgetSpent():
            return Remark(
                text="The money for the call was used up: the agent said goodbye.", tone="warning", icon="timer"
            )
        case events.MachineJudged():
            said = JUDGED.get(event.verdict, event.verdict)
            return Remark(text=f"{said}{_because(event.reason)}.", icon="user-search")
        case events.AgentBackchannel():
            return Remark(text=f"The agent said “{event.text}” to show that it listens.", icon="ear")
        case events.GuardrailApplied():
            return Remark(text=_held(event), tone="warning", icon="shield-check")
        case events.WebhookAsked():
            return _webhook(event)
        case events.ClaimDoubted():
            text = f"The agent claimed “{event.claim}”, and no tool had done it. Then: {event.then}."
            return Remark(text=text, tone="warning", icon="shield-check")
        case events.ClientMessage():
            return Remark(text="The caller's application sent a message.", icon="braces", detail=pretty(event.data))
        case events.ClientTold():
            return Remark(
                text="The agent sent the caller's application a message.", icon="braces", detail=pretty(event.data)
            )
        case events.AgentLogged():
            return _logged(event)
        case events.StepEntered() | events.SlotAsked() | events.SlotHeard():
            return _flowed(event)
        case _:
            return _changed(event) or _troubled(event)


def _held(event: events.GuardrailApplied) -> str:
    if event.kind == "topic":
        return f"The caller named “{event.rule}”, which the agent refuses to talk about."
    what = "was left out of what the agent said" if event.then == "replaced" else "was said all the same"
    return f"“{event.rule}”, which the agent never says, {what}."


def _webhook(event: events.WebhookAsked) -> Remark:
    detail = pretty({"request": event.request, "answer": event.answer})
    if event.error:
        text = f"{event.url} was asked before the call, and its answer was not used: {event.error}"
        return Remark(text=text, tone="error", icon="triangle-alert", detail=detail)
    return Remark(text=f"{event.url} was asked before the call ({event.took:.2f} s).", icon="zap", detail=detail)


WHY: Mapping[str, str] = {"first": "was asked for", "again": "was asked for again", "confirm": "was read back"}


def _flowed(event: events.StepEntered | events.SlotAsked | events.SlotHeard) -> Remark | None:
    match event:
        case events.StepEntered():
            return Remark(text=f"Step “{event.name}”{_because(event.because)}.", icon="arrow-right")
        case events.SlotAsked():
            attempt = f", for the {event.attempt}. time" if event.attempt > 1 else ""
            return Remark(text=f"{event.slot} {WHY[event.why]}{attempt}.", icon="speech")
        case events.SlotHeard(verdict="filled" | "confirmed"):
            how = {"keypad": ", from the keypad", "model": ", as the language model understood it"}.get(event.by, "")
            what = "was confirmed as" if event.verdict == "confirmed" else "was understood as"
            return Remark(text=f"{event.slot} {what} {_value(event.value)}{how}.", icon="check")
        case events.SlotHeard(verdict="skipped"):
            return Remark(text=f"{event.slot} was left out by the caller.", icon="check")
        case events.SlotHeard(verdict="denied"):
            return Remark(text=f"The caller said that {event.slot} is not {_value(event.value)}.", icon="x")
        case events.SlotHeard():
            what = "could not be used" if event.verdict == "refused" else "was not understood"
            return Remark(text=f"The answer for {event.slot} {what}{_because(event.detail)}.", icon="circle-alert")


def _changed(event: Event) -> Remark | None:
    match event:
        case events.DigitsSent():
            return Remark(text=f"The agent pressed {event.digits}.", icon="grid-3x3")
        case events.VariableSet():
            return Remark(text=f"{event.by} set {event.name} to {_value(event.value)}.", icon="braces")
        case events.SettingChanged(name="language"):
            return Remark(text=f"The call goes on in the language “{event.value}”.", icon="arrow-right-left")
        case events.SettingChanged():
            return Remark(
                text=f"The agent speaks with the voice “{event.value}” from here on.", icon="arrow-right-left"
            )
        case events.AgentSwitched():
            text = f"{event.agent} took over the call{_because(event.message)}."
            return Remark(text=text, icon="arrow-right-left")
        case events.TransferStarted():
            how = "after a word to them" if event.warm else "at once"
            return Remark(text=f"The caller is transferred to {event.to}, {how}.", icon="phone-forwarded")
        case events.TransferFinished(outcome="transferred"):
            return Remark(text=f"The caller was transferred to {event.to}.", icon="phone-forwarded")
        case events.TransferFinished():
            text = f"The transfer to {event.to} failed{_because(event.detail)}."
            return Remark(text=text, tone="error", icon="phone-off")
        case events.RecordingPaused():
            return Remark(
                text=f"The recording was paused{_because(event.reason)}: there is a gap from here.", icon="pause"
            )
        case events.RecordingResumed():
            return Remark(text="The recording went on from here.", icon="mic")
    return None


def _troubled(event: Event) -> Remark | None:
    match event:
        case events.ProviderSlow(role="transport"):
            return Remark(text=f"No audio has arrived from the caller for {event.waited:.0f} s.", icon="hourglass")
        case events.ProviderSlow():
            text = f"{who(event.role)} ({event.provider}) was slow: {event.waited:.1f} s so far."
            return Remark(text=text, tone="warning", icon="hourglass")
        case events.ProviderFailed():
            text = f"{who(event.role)} ({event.provider}) failed: {event.error} Then: {event.then}."
            return Remark(text=text, tone="error", icon="triangle-alert")
    return None


def _logged(event: events.AgentLogged) -> Remark:
    said = f"{event.name}: {event.text}" if event.text else event.name
    if event.value is not None:
        said = f"{said} = {event.value:g}"
    tones: Mapping[str, Tone] = {"warning": "warning", "warn": "warning", "error": "error", "critical": "error"}
    tone = tones.get(event.level.lower(), "info")
    return Remark(text=said, tone=tone, icon="square-terminal", detail=pretty(event.data) if event.data else "")


def who(role: str) -> str:
    return ROLES.get(role, role.capitalize())


def pretty(data: Any) -> str:
    return json.dumps(data, indent=2, ensure_ascii=False)


def _value(value: Any) -> str:
    return f"“{value}”" if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _because(reason: str) -> str:
    return f" ({reason.strip().rstrip('.')})" if reason.strip() else ""
