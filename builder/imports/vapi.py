"""Vapi's assistants: the JSON of `GET /assistant/{id}`, or of the request that makes one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from builder.imports.draft import Around, Draft, Imported
from builder.imports.parts import take_detection, take_language, take_service
from builder.imports.source import Source
from builder.imports.vapi_tools import VARIABLES, Tools
from voice.media.scenes import SCENES

ID = "vapi"
LABEL = "Vapi assistant"
VENDORS = {
    "openai": "openai",
    "anthropic": "anthropic",
    "google": "google",
    "11labs": "elevenlabs",
    "cartesia": "cartesia",
    "deepgram": "deepgram",
}
"""Which of our vendors theirs are."""
_THERE = "It tells of the assistant there."
REASONS = {
    "id": _THERE,
    "orgId": _THERE,
    "createdAt": _THERE,
    "updatedAt": _THERE,
    "isServerUrlSecretSet": _THERE,
    "metadata": "Agents hold no data of your own.",
    "credentialIds": "Accounts with vendors are made under Connections.",
    "credentials": "Accounts with vendors are made under Connections.",
    "server": "Events of calls are not sent to it.",
    "serverUrl": "Events of calls are not sent to it.",
    "serverMessages": "Events of calls are not sent to a server.",
    "clientMessages": "A browser or program that holds a call gets all events.",
    "analysisPlan": "What is to be found out from calls is not set on agents.",
    "artifactPlan": "Recordings, transcripts and events of every call are kept.",
    "monitorPlan": "Live calls can be seen on their pages.",
    "compliancePlan": "How long recordings are kept is set for the installation.",
    "hooks": "What happens on events is not set on agents.",
    "transportConfigurations": "Numbers have their own settings.",
    "observabilityPlan": "Every event of a call is on its page.",
    "toolIds": "The tools themselves are not in the document. Make them under Tools, or bring them with the document.",
    "knowledgeBase": "Bring its files under Knowledge, and choose the folder on the agent's page.",
    "knowledgeBaseId": "Bring its files under Knowledge, and choose the folder on the agent's page.",
    "endCallPhrases": "The agent hangs up when the conversation is over, not at a word.",
    "fallbackPlan": "Choose what takes over under “If it fails” on the agent's page.",
}


def recognises(document: Any) -> bool:
    known = {"firstMessage", "firstMessageMode", "transcriber", "endCallMessage", "silenceTimeoutSeconds"}
    if not isinstance(document, dict) or "nodes" in document:
        return False
    model = document.get("model")
    return bool(known & set(document)) or (isinstance(model, dict) and "provider" in model)


def read(document: Source, around: Around) -> Imported:
    draft = Draft(around)
    draft.take_name(document["name"])
    _greeting(draft, document)
    _prompt(draft, document["model"])
    services(draft, document)
    server = document["server"]["url"].text or document["serverUrl"].text
    tools, model = Tools(draft, server), document["model"]
    behaviour(draft, document, tools)
    made = [tools.take(tool) for place in ("tools", "functions") for tool in model[place]]
    draft.put("tools", tuple(filter(None, made)))
    return draft.imported(ID, document, REASONS)


def _greeting(draft: Draft, document: Source) -> None:
    mode, first = document["firstMessageMode"], document["firstMessage"]
    if mode.value == "assistant-waits-for-user":
        draft.put("greeting", "")
        draft.take(mode, "first_speaker", "caller", why="The caller does.")
        first.lost("The caller speaks first.")
    elif mode.value == "assistant-speaks-first-with-model-generated-message":
        draft.take_text(first, "greeting", VARIABLES)
        draft.take(mode, "first_speaker", "model", why="The model does, in its own words.")
    elif draft.take_text(first, "greeting", VARIABLES):
        mode.kept("The agent speaks first")
    else:
        draft.put("greeting", "")
        draft.put("first_speaker", "caller")


def _prompt(draft: Draft, model: Source) -> None:
    messages = [each for each in model["messages"] if each["role"].value == "system" and each["content"].text]
    parts = [each["content"] for each in messages] or [model["systemPrompt"]]
    if len(parts) == 1:
        draft.take_text(parts[0], "prompt", VARIABLES)
    else:
        whole = Source("\n\n".join(part.text for part in parts), model["messages"].path)
        draft.take_text(whole, "prompt", VARIABLES)
        for part in parts:
            part.changed("Prompt", "All of the system's messages, one below the other.")
    for each in messages:
        each["role"].kept("The prompt is what the system says")
    for each in model["messages"]:
        if each["role"].value != "system":
            each.lost("A call begins without a conversation.")


def services(draft: Draft, document: Source) -> None:
    """Who hears, speaks and answers; of an assistant, or of a whole workflow."""
    model, voice, ears = document["model"], document["voice"], document["transcriber"]
    _service(draft, model, "model", {"model": "model.name"})
    draft.take(model["temperature"], "model.temperature")
    draft.take(model["maxTokens"], "model.max_tokens")
    _service(draft, voice, "voice", {"voiceId": "voice.id", "model": "voice.model"})
    draft.take(voice["speed"], "voice.speed")
    _service(draft, ears, "hearing", {"model": "hearing.model"})
    if ears["language"].value == "multi":
        take_detection(draft, ears["language"])
    else:
        take_language(draft, ears["language"])
    _keyterms(draft, ears)


def _service(draft: Draft, part: Source, setting: str, names: Mapping[str, str]) -> None:
    take_service(draft, part, VENDORS.get(part["provider"].text, ""), setting, names)


def _keyterms(draft: Draft, ears: Source) -> None:
    terms, weighted = ears["keyterm"], ears["keywords"]
    draft.take(terms, "keyterms")
    words = [each.text.partition(":")[0] for each in weighted]
    if words:
        known = terms.value if isinstance(terms.value, list) else []
        draft.take(weighted, "keyterms", (*known, *words), why="Without weights.")


def behaviour(draft: Draft, document: Source, tools: Tools) -> None:
    """How calls go; of an assistant, or of a whole workflow. `tools` are those of the document."""
    draft.take_text(document["endCallMessage"], "phrases.goodbye", VARIABLES)
    ends = document["endCallFunctionEnabled"]
    draft.take(ends, "can_end_call", why="")
    draft.take(document["dialKeypadFunctionEnabled"], "can_send_digits")
    draft.take(document["maxDurationSeconds"], "max_duration")
    draft.take(document["recordingEnabled"], "recording.enabled")
    draft.take(document["artifactPlan"]["recordingEnabled"], "recording.enabled")
    draft.take_text(document["compliancePlan"]["recordingConsentPlan"]["message"], "recording.announcement", VARIABLES)
    _voicemail(draft, document)
    _noise(draft, document)
    _turns(draft, document)
    _silence(draft, document)
    sound = document["backgroundSound"]
    if sound.text in SCENES:
        draft.take(sound, "ambient.bed")
    elif sound.value == "off":
        sound.kept("Background sound: none")
    else:
        sound.lost("There is no such sound. Choose one under Sound and recording.")
    if number := document["forwardingPhoneNumber"]:
        tools.forwards(number)


def _voicemail(draft: Draft, document: Source) -> None:
    detection, message = document["voicemailDetection"], document["voicemailMessage"]
    if detection.value == "off":
        detection.kept("Find out who answers: off")
    elif detection:
        draft.put("answering.detect", True)
        detection.changed("Find out who answers", "In Callwright's own way.")
    if draft.take_text(message, "answering.message", VARIABLES) and not detection:
        draft.put("answering.detect", True)


def _noise(draft: Draft, document: Source) -> None:
    newer = document["backgroundSpeechDenoisingPlan"]["smartDenoisingPlan"]["enabled"]
    for switch in (document["backgroundDenoisingEnabled"], newer):
        if isinstance(switch.value, bool):
            wanted = "auto" if switch.value else "off"
            draft.take(
                switch, "noise_suppression", wanted, why="As much as the line needs." if switch.value else "Off."
            )


def _turns(draft: Draft, document: Source) -> None:
    start, stop, keypad = document["startSpeakingPlan"], document["stopSpeakingPlan"], document["keypadInputPlan"]
    draft.take(start["waitSeconds"], "turns.finished_silence")
    draft.take(start["transcriptionEndpointingPlan"]["onNoPunctuationSeconds"], "turns.unfinished_silence")
    draft.take(stop["voiceSeconds"], "turns.interruption_speech")
    draft.take(keypad["timeoutSeconds"], "digits.pause")
    if keypad["delimiters"].value in ("#", "*", ""):
        draft.take(keypad["delimiters"], "digits.terminator")
    keypad["enabled"].kept("Keys are always heard") if keypad["enabled"].value is True else None


def _silence(draft: Draft, document: Source) -> None:
    plan = document["messagePlan"]
    idle = plan["idleMessages"]
    draft.take_text(idle[0], "inactivity.check_in_text", VARIABLES)
    for each in list(idle)[1:]:
        each.lost("The agent always asks in the same words.")
    draft.take(plan["idleTimeoutSeconds"], "inactivity.check_in_after")
    draft.take(plan["idleMessageMaxSpokenCount"], "inactivity.check_ins")
    draft.take_text(plan["silenceTimeoutMessage"], "inactivity.farewell_text", VARIABLES)
    ends = document["silenceTimeoutSeconds"]
    if ends.number and not plan["idleTimeoutSeconds"]:
        why = "The agent asks once whether the caller is still there, and hangs up after as long again."
        draft.put("inactivity.check_ins", 1)
        draft.take(ends, "inactivity.check_in_after", max(2.0, ends.number / 2), why=why)
