"""An agent without a language model, which does what the caller says. It runs in an environment of its own."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator

from line.events import (
    AgentEndCall,
    AgentSendCustom,
    AgentSendDtmf,
    AgentSendText,
    AgentTextSent,
    AgentToolCalled,
    AgentToolReturned,
    AgentTransferCall,
    AgentUpdateCall,
    CallStarted,
    InputEvent,
    LogMessage,
    LogMetric,
    OutputEvent,
    UserCustomSent,
    UserDtmfSent,
    UserTextSent,
    UserTurnEnded,
    UserTurnStarted,
)
from line.voice_agent_app import AgentEnv, CallRequest, PreCallResult, VoiceAgentApp

LONG = "We are open from nine to five on weekdays. On Saturday we close at noon. On Sunday we are closed all day."


def words(event: UserTurnEnded) -> str:
    return " ".join(part.content for part in event.content if isinstance(part, UserTextSent))


def keys(event: UserTurnEnded) -> str:
    return "".join(part.button for part in event.content if isinstance(part, UserDtmfSent))


def said_so_far(event: InputEvent) -> str:
    return " ".join(part.content for part in event.history or [] if isinstance(part, AgentTextSent))


async def get_agent(env: AgentEnv, request: CallRequest) -> object:
    metadata = request.metadata or {}

    async def obey(turn: object, event: InputEvent) -> AsyncIterator[OutputEvent]:
        if isinstance(event, CallStarted):
            yield AgentSendText(text=f"Hello {metadata.get('name', 'there')}.")
            return
        if isinstance(event, UserCustomSent):
            yield AgentSendText(text=f"I see {event.metadata['page']}.")
            return
        if not isinstance(event, UserTurnEnded):
            return
        match words(event):
            case "":
                yield AgentSendText(text=f"You pressed {keys(event)}.")
            case "Hours?":
                for word in LONG.split(" "):
                    yield AgentSendText(text=f"{word} ")
            case "What did you say?":
                yield AgentSendText(text=f"I said: {said_so_far(event)}")
            case "Press one.":
                yield AgentSendDtmf(button="1")
            case "A person, please.":
                yield AgentSendText(text="One moment.")
                yield AgentTransferCall(target_phone_number="+14155550123")
            case "Goodbye.":
                yield AgentSendText(text="Bye now.")
                yield AgentEndCall()
            case "Show me.":
                yield AgentSendCustom(metadata={"page": "prices"})
                yield AgentSendText(text="There.")
            case "Hola.":
                yield AgentUpdateCall(voice_id="other", language="es")
                yield AgentSendText(text="Hola.")
            case "Who am I?":
                yield AgentToolCalled(tool_call_id="1", tool_name="look_up", tool_args={"number": request.from_})
                yield AgentToolReturned(
                    tool_call_id="1", tool_name="look_up", tool_args={"number": request.from_}, result="Ann"
                )
                yield LogMetric(name="seconds", value=1.5)
                yield LogMessage(name="found", level="info", message="It is Ann.", metadata={"id": 7})
                yield AgentSendText(text="You are Ann.")
            case "Look it up.":
                yield AgentSendText(text="I will look.")
                await asyncio.sleep(4)
                yield AgentSendText(text="It is there.")
            case "Warn me.":
                yield AgentSendText(text="This call is recorded, as the law wants it.", interruptible=False)
                yield AgentEndCall(interruptible=False)
            case "Break.":
                raise RuntimeError("The agent's code is wrong.")

    return obey, [CallStarted, UserTurnEnded, UserCustomSent], [UserTurnStarted]


async def pre_call(request: CallRequest) -> PreCallResult | None:
    wish = (request.metadata or {}).get("wish")
    if wish == "reject":
        return None
    if wish == "break":
        raise RuntimeError("No database.")
    return PreCallResult(metadata={"name": request.from_}, config={"tts": {"voice_id": "chosen"}})


app = VoiceAgentApp(get_agent=get_agent, pre_call_handler=pre_call)

if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ["PORT"]))
