"""Vapi's workflows, whose builder was retired: their nodes become steps, their edges routes.

A node that extracts variables becomes a step that asks for them, and a conversation after it where that is more than
the way to the next step: here the platform asks for fields, and the model talks.
"""

from __future__ import annotations

import re
from typing import Any

from pydantic import ValidationError

from builder.documents import NotUnderstood
from builder.imports.draft import Around, Draft, Imported, translated
from builder.imports.source import Source
from builder.imports.vapi import REASONS as OF_ASSISTANTS
from builder.imports.vapi import behaviour, services
from builder.imports.vapi_tools import VARIABLES, Tools, spoken
from builder.tools.openapi.schemas import listed
from voice.flow.expressions import ExpressionError, parse
from voice.flow.spec import MOST_STEPS, Flow

ID = "vapi_workflow"
LABEL = "Vapi workflow"
DONE = "What this step is for is done"
REASONS = {
    **OF_ASSISTANTS,
    "metadata": "Steps hold no data of your own.",
    "model": "One model answers for all steps.",
    "voice": "One voice speaks for all steps.",
    "transcriber": "One model hears for all steps.",
}
TYPES = {"number": "number", "integer": "number", "boolean": "yes_no"}


def recognises(document: Any) -> bool:
    return isinstance(document, dict) and isinstance(document.get("nodes"), list) and "edges" in document


def read(document: Source, around: Around) -> Imported:
    """Raises NotUnderstood."""
    return _Reader(document, around).imported()


class _Reader:
    def __init__(self, document: Source, around: Around) -> None:
        self._document = document
        self._draft = Draft(around)
        self._tools = Tools(self._draft, document["server"]["url"].text)
        self._nodes = [node for node in document["nodes"] if isinstance(node.value, dict)][:MOST_STEPS]
        self._ids: dict[str, str] = {}
        """The ids of steps by the names of nodes."""
        for place, node in enumerate(self._nodes):
            self._ids.setdefault(node["name"].text or str(place), self._free(node["name"].text or f"step {place + 1}"))
        self._steps: list[dict[str, Any]] = []
        self._used: list[str] = []

    def imported(self) -> Imported:
        draft, document = self._draft, self._document
        draft.take_name(document["name"])
        draft.take_text(document["globalPrompt"], "prompt", VARIABLES)
        start = next((node for node in self._nodes if node["isStart"].value is True), None) or next(
            iter(self._nodes), None
        )
        if start is None:
            raise NotUnderstood("The workflow has no nodes.")
        draft.put("greeting", "")
        self._services(start)
        behaviour(draft, document, self._tools)
        routes = [self._everywhere(node) for node in self._nodes if node["globalNodePlan"]["enabled"].value is True]
        for node in self._nodes:
            self._node(node)
        for edge in document["edges"]:
            if edge["from"].text not in self._ids or edge["to"].text not in self._ids:
                edge.lost("It leads from or to a node that is not there.")
        try:
            flow = Flow.model_validate({"start": self._id(start), "steps": self._steps, "routes": routes})
        except ValidationError as error:
            where = ".".join(map(str, error.errors()[0]["loc"]))
            raise NotUnderstood(f"The workflow cannot be a flow: {where}: {error.errors()[0]['msg']}.") from None
        draft.put("flow", flow.model_dump())
        draft.put("tools", tuple(dict.fromkeys(self._used)))
        return draft.imported(ID, document, REASONS)

    # --- names

    def _free(self, name: str) -> str:
        plain = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:34]
        wanted = plain if re.match("[a-z]", plain) else f"step_{plain}".rstrip("_")
        free, number = wanted, 2
        while free in self._ids.values():
            free, number = f"{wanted}_{number}", number + 1
        return free

    def _id(self, node: Source) -> str:
        known = node["name"].text or str(self._nodes.index(node) if node in self._nodes else node.path[-1])
        return self._ids.get(known, "")

    def _leads(self, node: Source) -> list[Source]:
        """The edges that begin at a node."""
        return [edge for edge in self._document["edges"] if edge["from"].value == node["name"].value]

    # --- the whole

    def _services(self, start: Source) -> None:
        """Those of the workflow; where it has none, those of its first node, and of the others that have the same."""
        services(self._draft, self._document)
        for role in ("model", "voice", "transcriber"):
            if self._document[role] or not start[role]:
                continue
            services(self._draft, start)
            break
        for node in self._nodes:
            for role in ("model", "voice", "transcriber"):
                chosen = self._document[role] if self._document[role] else start[role]
                if node[role].path != chosen.path and node[role] and node[role].value == chosen.value:
                    node[role].kept("As in all steps")

    def _everywhere(self, node: Source) -> dict[str, str]:
        plan = node["globalNodePlan"]
        plan["enabled"].kept("Flow: can be taken from any step")
        when, why = translated(plan["enterCondition"].text, VARIABLES)
        _say(plan["enterCondition"], "Flow: can be taken from any step", why)
        return {"when": when[:500] or DONE, "to": self._id(node)}

    # --- nodes

    def _node(self, node: Source) -> None:
        about: dict[str, Any] = {"id": self._id(node), "name": node["name"].text[:80]}
        position = node["metadata"]["position"]
        if position["x"].number is not None and position["y"].number is not None:
            about["position"] = {"x": position["x"].number, "y": position["y"].number}
            position.kept("Where the step stands")
        for name in ("name", "type", "isStart"):
            node[name].kept("Flow")
        match node["type"].value:
            case "tool":
                self._tool_node(node, about)
            case "hangup":
                self._steps.append({**about, "kind": "end"})
            case "say":
                text, why = translated(node["exact"].text or node["prompt"].text, VARIABLES)
                _say(node["exact"] if node["exact"] else node["prompt"], "Said in the step", why)
                self._steps.append({**about, "kind": "say", "say": text[:1_000], "next": self._only(node)})
            case _:
                self._conversation(node, about)

    def _conversation(self, node: Source, about: dict[str, Any]) -> None:
        slots = self._slots(node["variableExtractionPlan"])
        first, prompt = node["messagePlan"]["firstMessage"], node["prompt"]
        words, why = translated(first.text, VARIABLES)
        edges = self._leads(node)
        talks = len(edges) > 1 or not slots or bool(prompt.text)
        if slots:
            slots[0]["question"] = words[:1_000]
            _say(first, "Asked in the step", why)
            then = f"{about['id']}_then" if talks else self._only(node)
            self._steps.append({**about, "kind": "collect", "slots": slots, "next": then})
            if not talks:
                return
            about = {"id": then, "name": f"After {about['name']}"[:80]}
        elif words:
            _say(first, "Said when the step begins", why)
        told, why = translated(prompt.text, VARIABLES)
        if slots:
            known = ", ".join(f"{slot['name']} is {{{{{slot['name']}}}}}" for slot in slots)
            told = f"{told}\n\nThe caller has said this, so do not ask for it again: {known}.".strip()
            why = f"{why} The model has it once the fields are known.".strip()
        _say(prompt, "Prompt of the step", why)
        made = [name for tool in node["tools"] if (name := self._tools.take(tool))]
        self._used += made
        self._steps.append(
            {
                **about,
                "kind": "conversation",
                "prompt": told[:20_000],
                "say": "" if slots else words[:1_000],
                "routes": [self._route(edge) for edge in edges][:20],
                **({"tools": tuple(made)} if made else {}),
            }
        )

    def _route(self, edge: Source) -> dict[str, str]:
        """What an edge says in words is for the model to judge; logic becomes an expression where it can."""
        for name in ("from", "to"):
            edge[name].kept("Flow")
        condition, to = edge["condition"], self._ids.get(edge["to"].text, "")
        logic = condition["liquid"] if condition["liquid"] else condition["logic"]
        if logic.text:
            expression = _expression(logic.text)
            if expression:
                condition["type"].kept("Flow")
                logic.changed("Flow", f"The expression {expression}.")
                return {"condition": expression, "to": to}
            logic.changed("Flow", "It is no expression that is understood here, so the model judges it.")
            return {"when": logic.text[:500], "to": to}
        when, why = translated(condition["prompt"].text, VARIABLES)
        condition["type"].kept("Flow")
        _say(condition["prompt"], "When the route is taken", why)
        return {"when": when[:500] or DONE, "to": to}

    def _only(self, node: Source, *, failed: bool = False) -> str:
        """Where the one edge of a step leads that has no choice; others are lost."""
        found = ""
        for edge in self._leads(node):
            if (edge["condition"]["type"].value == "failed") != failed:
                continue
            if found:
                edge.lost("The step leads to one other only.")
                continue
            found = self._ids.get(edge["to"].text, "")
            edge.changed("Flow", "It is always taken.") if edge["condition"]["prompt"] else edge.kept("Flow")
        return found

    def _slots(self, plan: Source) -> list[dict[str, Any]]:
        """The fields of a plan: of its schema, or of the list that exports have."""
        found: list[dict[str, Any]] = []
        named = [(part["title"].text, part) for part in plan["output"]]
        named += [(name, part) for name, part in plan["schema"]["properties"].parts()]
        for name, part in named[:30]:
            if not re.fullmatch(r"[A-Za-z_]\w{0,63}", name) or any(slot["name"] == name for slot in found):
                part.lost("It has no name that a variable can have, or that of another one.")
                continue
            choices = [str(word)[:100] for word in listed(part["enum"].value) if str(word).strip()]
            type_ = "choice" if choices else TYPES.get(part["type"].text, "text")
            found.append({"name": name, "type": type_, "choices": choices[:50] if type_ == "choice" else []})
            part.changed("Field that the step asks for", f"It is asked for as {type_.replace('_', ' ')}.")
        plan["aliases"].lost("Variables under other names are set by a step of their own.")
        return found

    def _tool_node(self, node: Source, about: dict[str, Any]) -> None:
        tool = node["tool"]
        match tool["type"].value:
            case "endCall":
                said = spoken(tool)
                text, why = translated(said.text, VARIABLES)
                tool["type"].kept("End of the call")
                _say(said, "Said at the end", why)
                self._steps.append({**about, "kind": "end", **({"say": text[:1_000]} if text else {})})
            case "transferCall":
                people = self._tools.destinations(tool)
                step = {
                    "kind": "transfer",
                    "target": people[0] if people else "",
                    "failure": self._only(node, failed=True),
                }
                self._steps.append({**about, **step})
            case _:
                name = self._tools.take(tool)
                node["toolId"].lost("The tool itself is not in the document. Make it under Tools, and choose it here.")
                self._used += [name] if name else []
                self._steps.append(
                    {
                        **about,
                        "kind": "tool",
                        "tool": name,
                        "arguments": self._arguments(name),
                        "success": self._only(node),
                        "failure": self._only(node, failed=True),
                    }
                )

    def _arguments(self, name: str) -> dict[str, str]:
        """What a step gives a tool: the variables of the names that it asks for."""
        tool: Any = next((one.config for one in self._draft.tools if one.name == name), None)
        asked = [one for one in getattr(tool, "parameters", ()) if getattr(one, "source", "model") == "model"]
        return {one.name.replace(".", "_"): f"{{{{{one.name.replace('.', '_')}}}}}" for one in asked}


def _say(source: Source, became: str, why: str) -> None:
    source.changed(became, why) if why else source.kept(became)


def _expression(liquid: str) -> str:
    """A condition in Liquid as an expression of ours, or ""."""
    text = re.sub(r"\{\{-?|-?\}\}|\{%-?\s*if|-?%\}.*$", " ", liquid).replace("&&", " and ").replace("||", " or ")
    text = " ".join(text.split())
    try:
        parse(text)
    except ExpressionError:
        return ""
    return text
