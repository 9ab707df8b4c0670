"""How OpenAI's realtime protocol writes what we mean, and what its answers mean."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from voice.providers.base import ProviderError, ToolRequest, ToolSchema
from voice.providers.failures import Failures
from voice.providers.openai.live import transcription_of
from voice.providers.realtime import RealtimeSettings, Usage

Detection = Literal["server_vad", "semantic_vad"]

# The only rate of PCM that the server takes and gives.
WIRE_RATE = 24_000
# The server's speech begins so long before the sound that it noticed.
PREFIX_MS = 300
_SLOWEST, _FASTEST = 0.25, 1.5
_STATUS = {
    "invalid_api_key": 401,
    "authentication_error": 401,
    "insufficient_quota": 429,
    "rate_limit_exceeded": 429,
    "rate_limit_error": 429,
    "invalid_request_error": 400,
    "model_not_found": 404,
}
_ACTIVE = "already has an active response"

FINISHES: Mapping[str, Literal["stop", "length", "cancelled", "error"]] = {
    "completed": "stop",
    "incomplete": "length",
    "cancelled": "cancelled",
    "failed": "error",
}


def session_of(
    settings: RealtimeSettings, *, language: str, transcription: str, detection: Detection
) -> dict[str, Any]:
    """The session that a call wants."""
    audio = {"type": "audio/pcm", "rate": WIRE_RATE}
    output: dict[str, Any] = {"format": audio}
    if settings.voice:
        output["voice"] = {"id": settings.voice} if settings.voice.startswith("voice_") else settings.voice
    if settings.speed != 1.0:
        output["speed"] = min(max(settings.speed, _SLOWEST), _FASTEST)
    heard = {
        "format": audio,
        "transcription": transcription_of(transcription, language, settings.keyterms) if transcription else None,
        "turn_detection": _turn_detection(settings, detection),
    }
    return {
        "type": "realtime",
        "instructions": settings.instructions,
        "output_modalities": ["audio"],
        "audio": {"input": heard, "output": output},
        "tools": [_function(tool) for tool in settings.tools],
        "tool_choice": "auto",
    }


def _turn_detection(settings: RealtimeSettings, detection: Detection) -> dict[str, Any]:
    # An agent that may not be interrupted answers later: then we ask for the answers.
    answers = {"create_response": settings.interruptible, "interrupt_response": settings.interruptible}
    if detection == "semantic_vad":
        eagerness = "high" if settings.silence < 0.4 else "low" if settings.silence > 1.0 else "auto"
        return {"type": detection, "eagerness": eagerness, **answers}
    silence = round(1000 * settings.silence)
    return {"type": detection, "prefix_padding_ms": PREFIX_MS, "silence_duration_ms": silence, **answers}


def _function(tool: ToolSchema) -> dict[str, Any]:
    return {
        "type": "function",
        "name": tool.name,
        "description": tool.description,
        "parameters": dict(tool.parameters),
    }


def response_of(name: str, *, say: str, aside: bool) -> dict[str, Any]:
    """A request for a reply. Its name comes back with the reply, and with an error."""
    response: dict[str, Any] = {"metadata": {"reply": name}}
    if say:
        response["instructions"] = (
            "Say the following, word for word, in a friendly voice. Say nothing before it and nothing after it, do not "
            f"answer it, and do not translate it:\n{say}"
        )
        response["tool_choice"] = "none"
    if aside:
        response |= {"conversation": "none", "input": []}
    return {"type": "response.create", "event_id": name, "response": response}


def appended(pcm: bytes) -> dict[str, Any]:
    return {"type": "input_audio_buffer.append", "audio": base64.b64encode(pcm).decode()}


def created(item: dict[str, Any]) -> dict[str, Any]:
    return {"type": "conversation.item.create", "item": item}


def requests_in(items: Iterable[Any]) -> list[ToolRequest]:
    """The tool requests among the items that a reply consists of."""
    return [
        ToolRequest(item["call_id"], item["name"], item.get("arguments") or "{}")
        for item in items
        if item.get("type") == "function_call" and item.get("status", "completed") == "completed"
    ]


def usage_of(reported: Mapping[str, Any] | None) -> Usage:
    used = reported or {}
    heard = used.get("input_token_details") or {}
    spoken = used.get("output_token_details") or {}
    return Usage(
        input_tokens=used.get("input_tokens"),
        output_tokens=used.get("output_tokens"),
        cached_tokens=heard.get("cached_tokens"),
        input_audio_tokens=heard.get("audio_tokens"),
        output_audio_tokens=spoken.get("audio_tokens"),
        cached_audio_tokens=(heard.get("cached_tokens_details") or {}).get("audio_tokens"),
    )


def is_busy(error: Mapping[str, Any]) -> bool:
    """Whether a reply was refused because another one is being made."""
    code, said = error.get("code"), error.get("message") or ""
    return code == "conversation_already_has_active_response" or _ACTIVE in said


def refusal(failures: Failures, error: Mapping[str, Any], what: str) -> ProviderError:
    """An error that the server reports, in words."""
    status = _STATUS.get(error.get("code") or "") or _STATUS.get(error.get("type") or "", 500)
    return failures.of_status(status, json.dumps(dict(error)), what)


def failure_of(failures: Failures, response: Mapping[str, Any], what: str) -> ProviderError | None:
    """Why a reply failed, if it did."""
    details = response.get("status_details") or {}
    if response.get("status") == "failed":
        return refusal(failures, details.get("error") or {}, what)
    if details.get("reason") == "content_filter":
        return failures.declined("content_filter")
    return None
