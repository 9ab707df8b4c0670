"""Vapi's tools, which stand in assistants and in the nodes of workflows."""

from __future__ import annotations

import re
from typing import Any

from builder.documents import NotUnderstood
from builder.imports.draft import Draft, translated
from builder.imports.parts import Transfers, headers_of, values_of
from builder.imports.source import Source

VARIABLES = {
    "now": "system__time",
    "date": "system__date",
    "time": "system__time",
    "customer.number": "system__caller_id",
    "phoneNumber.number": "system__called_number",
    "call.id": "system__call_id",
    "assistant.name": "system__agent_name",
}
"""What Vapi calls the facts of a call, and what we do."""
ENVELOPE = "The server gets the values themselves as JSON, not Vapi's message around them, and answers with the result."
ELSEWHERE = {
    "query": "Bring its files under Knowledge, and choose the folder on the agent's page.",
    "handoff": "Agents are imported one by one. Hand over to the other one in the flow.",
    "sms": "Make a tool of the kind “Text message”, with the connection of your carrier.",
    "bash": "Agents run no programs.",
    "computer": "Agents run no programs.",
    "textEditor": "Agents run no programs.",
    "code": "Agents run no programs. Put it behind an HTTP address, and make a tool of that.",
}
_TOLD = (
    "type name description url method body headers timeoutSeconds messages function server async "
    "variableExtractionPlan destinations id orgId createdAt updatedAt metadata"
).split()


class Tools:
    """Takes the tools of one document. `server` is where functions go that say nowhere."""

    def __init__(self, draft: Draft, server: str = "") -> None:
        self._draft = draft
        self._server = server
        self._transfers = Transfers(draft)

    def take(self, tool: Source) -> str:
        """Gives the name of the tool in the library, or "" where it is none, or is lost."""
        kind = tool["type"].text or ("function" if tool["function"] or tool["parameters"] else "")
        match kind:
            case "apiRequest":
                return self._made(tool, self._request)
            case "function":
                return self._made(tool, self._function)
            case "mcp":
                return self._mcp(tool)
            case "transferCall":
                self.destinations(tool)
            case "endCall":
                self._draft.put("can_end_call", True)
                if (said := spoken(tool)) and self._draft.take(said, "phrases.goodbye"):
                    tool["type"].kept("The agent may hang up")
                else:
                    tool.kept("The agent may hang up")
            case "dtmf":
                self._draft.put("can_send_digits", True)
                tool.kept("The agent may press keys")
            case "voicemail":
                self._draft.put("answering.detect", True)
                tool.changed("Find out who answers", "Every outbound call does, before anything is said.")
            case _:
                tool.lost(
                    ELSEWHERE.get(kind, f"There is no tool like {kind or 'this'}; make one that asks the service.")
                )
        return ""

    def destinations(self, tool: Source) -> list[str]:
        """The people of a transfer tool. Gives their names."""
        found = []
        for each in tool["destinations"]:
            to = each["sipUri"] if each["sipUri"] else each["number"]
            when = each["description"] if each["description"] else tool["function"]["description"]
            warm = each["transferPlan"]["mode"].text.startswith("warm")
            if each["type"].value in ("assistant", "step"):
                each.lost("Agents are imported one by one. Hand over to the other one in the flow.")
            elif name := self._transfers.add(each, to, when=when.text, warm=warm):
                found.append(name)
                each.changed("Who takes over", f"The model calls them {name}.")
                each.only("type", "number", "sipUri", "description", "transferPlan")
                each["transferPlan"].only("mode")
                tool["type"].kept("Who takes over")
                if len(when.text) <= 500:
                    when.kept("When")
        return found

    def forwards(self, number: Source) -> None:
        """The number that all callers may be given to, beside those of the tools."""
        if self._transfers.add(number, number):
            number.changed("Who takes over", "Write when to transfer to them.")

    def _made(self, tool: Source, read: Any) -> str:
        notes: list[str] = []
        name = tool["name"].text or tool["function"]["name"].text
        try:
            kind, config = read(tool, name, notes)
        except NotUnderstood as error:
            tool.lost(f"It cannot be a tool: {error}")
            return ""
        said = spoken(tool)
        config |= {
            "timeout": min(
                max(tool["timeoutSeconds"].number or tool["server"]["timeoutSeconds"].number or 20, 0.5), 120
            ),
            "background": tool["async"].value is True,
            "speech": said.text[:300] if said else "",
        }
        about = tool["description"].text or tool["function"]["description"].text
        made = self._draft.add_tool(tool, kind, name, about, config)
        if made:
            tool.changed("Tools", " ".join([*notes, *([f"It is called {made}."] if made != name else [])]) or "As one.")
            tool.only(*_TOLD)
            for each in tool["messages"]:
                if not said or each["content"].path != said.path:
                    each.lost("Only what is said before a tool runs can be fixed.")
        return made

    def _request(self, tool: Source, name: str, notes: list[str]) -> tuple[str, dict[str, Any]]:
        url, told = translated(tool["url"].text, VARIABLES)
        method = tool["method"].text.upper() or "POST"
        values = values_of(tool["body"].object, "query" if method == "GET" else "body", VARIABLES, notes)
        for value in values:
            place = re.compile(r"\{\{\s*" + re.escape(value["name"]) + r"\s*\}\}")
            if place.search(url):  # what the model writes may stand in the address
                url = place.sub(f"{{{value['name']}}}", url)
                value |= {"where": "path", "required": True}
        notes += [told] if told else []
        headers = tool["headers"]["properties"]
        plain = Source({key: part["value"].value for key, part in headers.parts() if part["value"]}, headers.path)
        return "http", {
            "method": method,
            "url": url,
            "parameters": values,
            "headers": headers_of(self._draft, plain, name, VARIABLES),
            "assign": _assigned(tool["variableExtractionPlan"], notes),
        }

    def _function(self, tool: Source, name: str, notes: list[str]) -> tuple[str, dict[str, Any]]:
        described = tool["function"]["parameters"] if tool["function"] else tool["parameters"]
        values = values_of(described.object, "body", VARIABLES, notes)
        url = tool["server"]["url"].text or self._server
        if not url:
            notes.append("It names no server, so the application that holds the call does it.")
            told = ("name", "type", "allowed", "required", "description")
            return "client", {"parameters": [{key: one[key] for key in told if key in one} for one in values]}
        notes.append(ENVELOPE)
        headers = headers_of(self._draft, tool["server"]["headers"], name, VARIABLES)
        return "http", {"method": "POST", "url": url, "parameters": values, "headers": headers}

    def _mcp(self, tool: Source) -> str:
        name = tool["name"].text or "mcp"
        made = self._draft.add_tool(tool, "mcp", name, "", {"url": tool["server"]["url"].text})
        if made:
            tool.changed("Tools", "Fetch its tools on the tool's page, and tick those that agents get.")
            tool.only("type", "server", "name")
            tool["server"].only("url")
        return made


def spoken(tool: Source) -> Source:
    """What is said while a tool begins."""
    empty = Source(None, (*tool.path, "messages"))
    starts = (each["content"] for each in tool["messages"] if each["type"].value == "request-start" and each["content"])
    return next(starts, empty)


def _assigned(plan: Source, notes: list[str]) -> list[dict[str, str]]:
    """The variables that an answer sets: aliases of one of its parts, and the parts that its schema names."""
    found = {}
    for name in plan["schema"]["properties"].object:
        found[str(name)] = str(name)
    for alias in plan["aliases"]:
        path = re.fullmatch(r"\{\{\s*([\w.]+)\s*\}\}", alias["value"].text)
        if path:
            found[alias["key"].text] = path[1]
        else:
            notes.append(f"The variable {alias['key'].text[:40]} is computed there, and not set here.")
    return [
        {"path": path, "variable": name} for name, path in found.items() if re.fullmatch(r"[A-Za-z_]\w{0,63}", name)
    ][:20]
