"""Cartesia's managed agents: the JSON of `GET /v1/agents/{id}`, or of the request that makes one.

Their placeholders are ours. Tools stand in it by their ids; where `tools` holds whole tools, as `GET /v1/agents/tools`
gives them, they are made.
"""

from __future__ import annotations

from typing import Any

from builder.documents import NotUnderstood
from builder.imports.draft import Around, Draft, Imported
from builder.imports.parts import (
    Transfers,
    connected,
    headers_of,
    take_detection,
    take_language,
    take_variables,
    values_of,
)
from builder.imports.source import Source
from builder.tools.curl import secret_name

ID = "cartesia"
LABEL = "Cartesia managed agent"
REASONS = {
    "id": "It names the agent there.",
    "created_at": "It tells of the agent there.",
    "updated_at": "It tells of the agent there.",
    "version": "Versions are counted anew.",
    "description": "Agents have no description; what they do is in the prompt.",
    "emotion": "Voices have no moods here.",
    "pronunciation_dictionary_id": "Bring the dictionary under Pronunciations, as CSV, and choose it there.",
    "file_id": "Its sound is not in the document. Choose one under Sound and recording.",
}
MODELS = {"gpt": "openai", "o1": "openai", "o3": "openai", "o4": "openai", "claude": "anthropic", "gemini": "google"}
"""Whose the models are, by how their names begin."""

TOLD = (
    "id type name description pre_tool_speech execution_mode response_timeout_secs api_schema assignments parameters "
    "expects_response created_at updated_at agents"
).split()
ASKED = "url method path_params_schema query_params_schema request_body_schema request_headers authentication".split()


def recognises(document: Any) -> bool:
    config = document.get("config") if isinstance(document, dict) else None
    return isinstance(config, dict) and bool({"instructions", "initial_message", "audio", "system_tools"} & set(config))


def read(document: Source, around: Around) -> Imported:
    """Raises NotUnderstood."""
    config = document["config"]
    if not isinstance(config.value, dict):
        raise NotUnderstood("It has no config, which is where a managed agent's settings stand.")
    draft = Draft(around)
    draft.take_name(document["name"])
    draft.take(config["instructions"], "prompt")
    _greeting(draft, config)
    draft.take(config["timezone"], "timezone")
    _model(draft, config["model"])
    _audio(draft, config["audio"])
    _language(draft, config["language"])
    _turn(draft, config["turn"])
    _system_tools(draft, config["system_tools"])
    names = [_tool(draft, tool) for tool in config["tools"]]
    draft.put("tools", tuple(filter(None, names)))
    take_variables(draft, config["dynamic_variable_placeholders"], "test")
    return draft.imported(ID, document, REASONS)


def _greeting(draft: Draft, config: Source) -> None:
    if not draft.take(config["initial_message"], "greeting"):
        draft.put("greeting", "")
        draft.put("first_speaker", "caller")


def _language(draft: Draft, language: Source) -> None:
    if "primary" in language.object and language["primary"].value is None:
        take_detection(draft, language)
    else:
        take_language(draft, language["primary"])


def _model(draft: Draft, model: Source) -> None:
    name = model["id"].text
    vendor = next((vendor for begin, vendor in MODELS.items() if name.startswith(begin)), "")
    if model["id"] and vendor in draft.around.connections:
        draft.put("model.connection", draft.around.connections[vendor])
        draft.take(model["id"], "model.name")
    elif model["id"]:
        connected(draft, model["id"], vendor, "model")
    draft.take(model["temperature"], "model.temperature")
    draft.take(model["max_output_tokens"], "model.max_tokens")


def _audio(draft: Draft, audio: Source) -> None:
    heard, spoken = audio["input"], audio["output"]
    draft.take(heard["keyterms"], "keyterms")
    draft.take(heard["noise_suppression"], "noise_suppression")
    if "cartesia" in draft.around.connections:
        draft.put("hearing.connection", draft.around.connections["cartesia"])
        draft.put("voice.connection", draft.around.connections["cartesia"])
        draft.take(spoken["voice_id"], "voice.id")
    else:
        connected(draft, spoken["voice_id"], "cartesia", "voice")
    draft.take(spoken["speed"], "voice.speed")
    draft.take(spoken["volume"], "voice.volume")


def _turn(draft: Draft, turn: Source) -> None:
    check_in, end = turn["inactivity_check_in_secs"], turn["inactivity_end_call_secs"]
    if not end:
        draft.take(check_in, "inactivity.check_in_after")
        return
    after = check_in.number or 8.0
    draft.take(check_in, "inactivity.check_in_after")
    # Here a call ends a number of check-ins after the first silence.
    times = max(0, min(10, round((end.number or 0.0) / after) - 1))
    draft.take(end, "inactivity.check_ins", times, why=f"It ends after {times} check-ins of {after:g} seconds.")


def _system_tools(draft: Draft, tools: Source) -> None:
    for name, path in (("end_call", "can_end_call"), ("send_dtmf", "can_send_digits")):
        tool = tools[name]
        draft.put(path, tool.value is not None if tools else name == "end_call")
        if tool.value is None:
            continue
        for each in ("description", "pre_tool_speech"):
            tool[each].lost("The agent does this with words of its own; write in the prompt when it should.")
        if not tool["description"] and not tool["pre_tool_speech"]:
            tool.kept(name.replace("_", " ").capitalize())
    transfer, transfers = tools["transfer_to_number"], Transfers(draft)
    transfer["description"].lost("Each person has a sentence of their own here, and there is none for all.")
    transfer["pre_tool_speech"].lost("The agent announces a transfer in its own words.")
    for target in transfer["transfers"]:
        _transfer(transfers, target)


def _transfer(transfers: Transfers, each: Source) -> None:
    destination = each["destination"]
    to = destination["sip_uri"] if destination["sip_uri"] else destination["phone_number"]
    if transfers.add(each, to, when=each["condition"].text):
        destination["type"].kept("Number or SIP address")
        to.kept("Number or SIP address")
        if len(each["condition"].text) > 500:
            each["condition"].changed("When", "Its first 500 letters.")
        else:
            each["condition"].kept("When")


def _tool(draft: Draft, tool: Source) -> str:
    if tool["type"].value not in ("webhook", "client"):
        tool["id"].lost("The tool itself is not in the document. Put the whole tool in its place, or make it here.")
        return ""
    speech = tool["pre_tool_speech"]
    settings = {
        "timeout": min(max(tool["response_timeout_secs"].number or 20.0, 0.5), 120.0),
        "background": tool["execution_mode"].value == "async",
    }
    notes: list[str] = []
    try:
        if tool["type"].value == "client":
            kind, config = "client", _client(tool, settings, notes)
        else:
            kind, config = "http", _webhook(draft, tool, settings, notes)
    except NotUnderstood as error:
        tool.lost(f"It cannot be a tool: {error}")
        return ""
    made = draft.add_tool(tool, kind, tool["name"].text, tool["description"].text, config)
    if made:
        tool.only(*TOLD)
        tool["api_schema"].only(*ASKED)
        if speech.value == "force":
            speech.lost("Write on the tool's page what is said before it runs.")
        if notes or made != tool["name"].value:
            notes = [*notes, *([f"It is called {made}."] if made != tool["name"].value else [])]
            tool.changed("Tools", " ".join(notes))
        else:
            tool.kept("Tools")
    return made


def _client(tool: Source, settings: dict[str, Any], notes: list[str]) -> dict[str, Any]:
    values = values_of(tool["parameters"].object, "body", {}, notes)
    told = [
        {key: value[key] for key in ("name", "type", "allowed", "required", "description") if key in value}
        for value in values
    ]
    return {**settings, "parameters": told, "expects_response": tool["expects_response"].value is not False}


def _webhook(draft: Draft, tool: Source, settings: dict[str, Any], notes: list[str]) -> dict[str, Any]:
    asked, name = tool["api_schema"], tool["name"].text
    path = asked["path_params_schema"].object
    values = values_of({"properties": path, "required": list(path)}, "path", {}, notes)
    values += values_of(asked["query_params_schema"].object, "query", {}, notes)
    values += values_of(asked["request_body_schema"].object, "body", {}, notes)
    headers = asked["request_headers"]
    made = headers_of(draft, headers, name, {})
    for header, part in headers.parts():
        if isinstance(part.value, dict):  # a secret, whose value the document does not tell
            made.append({"name": header, "value": f"{{{{secret__{secret_name(name, header)}}}}}"})
    auth, who = {"scheme": "none"}, asked["authentication"]
    if who["mode"].value == "bearer":
        auth = {"scheme": "bearer", "secret": secret_name(name, "token")}
    elif who["mode"].value == "basic_auth":
        auth = {"scheme": "basic", "user": who["username"].text, "secret": secret_name(name, "password")}
    assign = [
        {"path": part["path"].text or part.text, "variable": variable}
        for variable, part in tool["assignments"].parts()
        if part["path"].text or part.text
    ]
    return {
        **settings,
        "method": asked["method"].text or "GET",
        "url": asked["url"].text,
        "parameters": values,
        "headers": made,
        "auth": auth,
        "assign": assign,
    }
