"""An agent as YAML: the settings that differ from a new agent's, with names in place of ids.

    name: Reception
    prompt: |-
      You answer the phone of Harbour View Dental.
    tools:
    - book_appointment

The dialect is small: no aliases, no tags, no two documents; `no` and `12:30` are words. What is left out has its
default.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError

from builder.config import LOCAL, AgentConfig
from builder.models import Agent
from builder.references import Kind, Names, Place, put, references

FORMAT = 1
"""Stands at the head of a file as `callwright: 1`."""
LONGEST = 500_000
"""Letters."""
DEEPEST = 40
ALWAYS = ("prompt", "greeting", "language")
"""Shown also where they are as they are by themselves."""
NAME_LONGEST = Agent._meta.get_field("name").max_length or 0
WORDS: Mapping[Kind, str] = {
    "connection": "connection",
    "sms": "connection for text messages",
    "tool": "tool",
    "folder": "folder of knowledge",
    "dictionary": "dictionary of pronunciations",
    "agent": "agent",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong, and where: line and column count from 1, `place` is "" where no setting is to blame."""

    line: int
    column: int
    message: str
    place: str = ""


@dataclass(frozen=True, slots=True)
class Missing:
    """A reference to something that this workspace does not have."""

    kind: Kind
    name: str
    place: Place

    def __str__(self) -> str:
        return f"There is no {WORDS[self.kind]} “{self.name}” in this workspace."


@dataclass(frozen=True, slots=True)
class Document:
    """What a text says. `missing` is what was left out of it, and empty unless that was asked for."""

    name: str
    config: AgentConfig
    missing: tuple[Missing, ...] = ()


class YamlError(ValueError):
    """The text is no agent. `problems` are in the order of the lines."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = sorted(problems, key=lambda problem: (problem.line, problem.column))
        super().__init__("; ".join(f"line {problem.line}: {problem.message}" for problem in self.problems))


# --- writing


class _Dumper(yaml.CSafeDumper):
    """Texts of several lines are written as such."""

    def represent_text(self, text: str) -> yaml.ScalarNode:
        return self.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)

    def ignore_aliases(self, data: Any) -> bool:
        return True


_Dumper.add_representer(str, _Dumper.represent_text)


def dump(name: str, config: AgentConfig, names: Names) -> str:
    """The agent's text, which `load` makes the same agent of."""
    values = _sparse(config) | {key: getattr(config, key) for key in ALWAYS}
    values = {key: values[key] for key in AgentConfig.model_fields if key in values}
    for kind, place, key in references(values):
        put(values, place, names.name(kind, key))
    return yaml.dump(
        {"callwright": FORMAT, "name": name, **values},
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        width=10**6,
    )


def _sparse(model: BaseModel) -> dict[str, Any]:
    """Its settings as JSON, without those that have their defaults. What tells apart one kind from another stays."""
    kept: dict[str, Any] = {}
    for name, info in type(model).model_fields.items():
        value = getattr(model, name)
        if value != info.get_default(call_default_factory=True) or _tells_kind(info.annotation):
            kept[name] = _json(value)
    return kept


def _tells_kind(annotation: Any) -> bool:
    return get_origin(annotation) is Literal and len(get_args(annotation)) == 1


def _json(value: Any) -> Any:
    match value:
        case BaseModel():
            return _sparse(value)
        case tuple() | list():
            return [_json(each) for each in value]
        case Mapping():
            return {str(key): _json(each) for key, each in value.items()}
        case str():
            return str(value)
    return value


# --- reading


class _Loader(yaml.CSafeLoader):
    """Words are words: only true, false, null and plain decimal numbers are something else. What begins with a plus is
    the number of a phone."""


_Loader.yaml_implicit_resolvers = {}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(?:true|True|TRUE|false|False|FALSE)$"), [*"tTfF"])
_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile("^(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""])
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"^-?(?:0|[1-9][0-9]*)$"), [*"-0123456789"])
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"^[-+]?[0-9]+\.[0-9]*(?:[eE][-+][0-9]+)?$"), [*"-+0123456789"]
)


def load(text: str, names: Names, *, leave_out_missing: bool = False) -> Document:
    """The agent that a text describes. Raises YamlError, which says at which lines it does not.

    What it refers to and the workspace does not have is an error; or it is left out and told of, for an import.
    """
    root = _compose(text)
    values = _plain(root)
    if not isinstance(values, dict):
        raise YamlError([Problem(1, 1, "An agent is written as settings, such as `name: Reception`.")])
    problems = [*_duplicates(root)]
    format_, name = values.pop("callwright", FORMAT), values.pop("name", "")
    if format_ != FORMAT:
        problems.append(_at(root, ("callwright",), f"This is format {format_}; {FORMAT} is the one that is known."))
    if not isinstance(name, str) or not 0 < len(name.strip()) <= NAME_LONGEST:
        problems.append(_at(root, ("name",), f"Write what the agent is called, in at most {NAME_LONGEST} letters."))
    missing = _resolve(values, names)
    if leave_out_missing:
        _leave_out(values, missing)
    else:
        problems += [_at(root, each.place, str(each)) for each in missing]
    try:
        config = AgentConfig.model_validate(values)
    except ValidationError as error:
        problems += [_at(root, tuple(found["loc"]), _message(found)) for found in error.errors(include_url=False)]
    if problems:
        raise YamlError(problems)
    return Document(name.strip(), config, tuple(missing))


def problem_at(text: str, place: Place, message: str) -> Problem:
    """Something wrong with a setting of a text that `load` takes."""
    return _at(_compose(text), place, message)


def _compose(text: str) -> yaml.Node:
    if len(text) > LONGEST:
        raise YamlError([Problem(1, 1, f"The text is longer than {LONGEST:,} letters.")])
    try:
        _refuse_tricks(text)
        root = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise YamlError([Problem(line, column, _sentence(error.problem or "This is not YAML."))]) from None
    except yaml.YAMLError as error:  # letters that YAML does not have
        raise YamlError([Problem(1, 1, _sentence(str(error).splitlines()[0]))]) from None
    if root is None:
        raise YamlError([Problem(1, 1, "There is nothing in it.")])
    return root


def _refuse_tricks(text: str) -> None:
    """Before anything is built of it: aliases multiply, tags make objects, brackets without end overflow the stack."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise _refusal(event, "Write it out: aliases are not read.")
        if getattr(event, "tag", None):
            raise _refusal(event, "Tags are not read.")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > DEEPEST:
            raise _refusal(event, "This is nested too deeply.")


def _refusal(event: yaml.Event, message: str) -> YamlError:
    mark = event.start_mark
    return YamlError([Problem(mark.line + 1, mark.column + 1, message) if mark else Problem(1, 1, message)])


def _plain(node: yaml.Node) -> Any:
    match node:
        case yaml.MappingNode():
            return {str(key.value): _plain(value) for key, value in node.value}
        case yaml.SequenceNode():
            return [_plain(each) for each in node.value]
    text: str = node.value
    match node.tag.rpartition(":")[2]:
        case "bool":
            return text.lower() == "true"
        case "null":
            return None
        case "int":
            return int(text) if len(text) < 20 else text  # no setting is so large, and some are words
        case "float":
            return float(text)
    return text


def _duplicates(node: yaml.Node) -> Iterator[Problem]:
    """Settings that are written twice, of which the first would be lost, and those whose name is no name."""
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                yield _problem(key, 'Put a text that begins with a bracket between quotes: "{{name}}".')
                continue
            if key.value in seen:
                yield _problem(key, f"“{_short(key.value)}” is written twice.")
            seen.add(key.value)
            yield from _duplicates(value)
    elif isinstance(node, yaml.SequenceNode):
        for each in node.value:
            yield from _duplicates(each)


def _resolve(values: dict[str, Any], names: Names) -> list[Missing]:
    """Put ids where names are. Gives what could not be found."""
    missing = []
    for kind, place, word in list(references(values)):
        if kind == "connection" and word == LOCAL:
            continue
        if (key := names.key(kind, word)) is None:
            missing.append(Missing(kind, word, place))
        else:
            put(values, place, key)
    return missing


def _leave_out(values: dict[str, Any], missing: Sequence[Missing]) -> None:
    """From the end, so that the positions of what comes before in a list stay."""
    for each in reversed(missing):
        *parents, last = each.place
        if isinstance(last, int):
            holder: Any = values
            for step in parents:
                holder = holder[step]
            del holder[last]
        else:
            put(values, each.place, LOCAL if each.kind == "connection" else "")


# --- saying what is wrong


def _at(root: yaml.Node, loc: Place, message: str) -> Problem:
    """A problem at the node that a place leads to, or at the last one on the way there. Unions put their tags on it."""
    node, shown, trail = root, root, []
    for step in loc:
        if isinstance(node, yaml.MappingNode):
            pair = next((pair for pair in node.value if pair[0].value == str(step)), None)
            if pair is None:
                continue
            shown, node = pair
            trail.append(str(step))
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            shown = node = node.value[step]
            trail.append(str(step))
    return _problem(shown, message, ".".join(trail))


def _problem(node: yaml.Node, message: str, place: str = "") -> Problem:
    mark = node.start_mark
    return Problem(mark.line + 1, mark.column + 1, message, place) if mark else Problem(1, 1, message, place)


def _message(found: Any) -> str:
    """What pydantic found, for people."""
    last = str(found["loc"][-1]) if found["loc"] else ""
    if found["type"] == "extra_forbidden":
        near = [name for name in difflib.get_close_matches(last, _settings(), n=2) if name != last]
        return f"There is no setting “{_short(last)}” here." + (f" Is “{near[0]}” meant?" if near else "")
    if found["type"] in ("model_type", "model_attributes_type"):
        return f"“{last}” has settings of its own, which stand below it, indented."
    if found["type"] == "missing":
        return f"“{last}” is missing."
    return _sentence(found["msg"].removeprefix("Value error, "))


def _settings() -> list[str]:
    """The names of all settings."""
    properties = [AgentConfig.model_json_schema(), *AgentConfig.model_json_schema()["$defs"].values()]
    return sorted({name for part in properties for name in part.get("properties", {})})


def _sentence(text: str) -> str:
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


def _short(word: str) -> str:
    return word if len(word) <= 40 else f"{word[:40]}…"
