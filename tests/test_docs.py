"""Documentation is a contract: what an operator or a client can use is listed in docs/, and what is listed exists."""

from __future__ import annotations

import ast
import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import get_commands
from django.urls import URLPattern, URLResolver, get_resolver

from api.urls import api
from builder.routing import websocket_urlpatterns as editing
from core.errors import STATUS, ErrorCode
from telephony.routing import websocket_urlpatterns as calls
from telephony.selectors import PROCESS_LOST
from voice.conversation import EndReason
from voice.events import EVENT_TYPES
from voice.variables import SYSTEM

ROOT = Path(__file__).resolve().parents[1]
OWN = {"accounts", "api", "billing", "builder", "config", "core", "telephony"}
DOCUMENTS = ["README.md", "CONTRIBUTING.md", *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md")))]


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def rows(name: str) -> list[list[str]]:
    """The cells of all tables of a document, without their head lines."""
    tables = re.findall(r"(?:^\|.*\n)+", read(name), re.MULTILINE)
    lines = [line for table in tables for line in table.splitlines()[2:]]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def first_words(name: str) -> list[str]:
    """What stands in backticks at the start of the rows of a document's tables."""
    return [found[1] for row in rows(name) if (found := re.match(r"`([^`]+)`", row[0]))]


def environment_variables() -> set[str]:
    """What the settings read from the environment."""
    names = set()
    for node in ast.walk(ast.parse(read("config/settings.py"))):
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id="env"), attr=kind), args=[ast.Constant(value=str(name)), *_]
            ) if not kind.endswith("_config"):
                names.add(name)
    return names


def own_patterns(patterns: list[URLPattern | URLResolver] | None = None) -> Iterator[URLPattern]:
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(pattern, URLResolver):
            yield from own_patterns(pattern.url_patterns)
        elif pattern.callback.__module__.partition(".")[0] in OWN:
            yield pattern


def test_every_setting_is_listed_and_every_listed_one_is_read() -> None:
    listed = {word for word in first_words("docs/settings.md") if word.isupper()}
    assert listed == environment_variables()


def test_every_command_is_listed() -> None:
    own = {name for name, app in get_commands().items() if str(app) in OWN}
    listed = {word for word in first_words("docs/settings.md") if word.islower()}
    assert own == listed != set()


@pytest.mark.parametrize("event_type", EVENT_TYPES)
def test_every_event_is_listed_with_its_fields(event_type: str) -> None:
    sections = dict(re.findall(r"^### `([\w.]+)`\n(.*?)(?=^##|\Z)", read("docs/events.md"), re.MULTILINE | re.DOTALL))
    fields = [field.name for field in dataclasses.fields(EVENT_TYPES[event_type]) if field.name != "at"]
    assert re.findall(r"`(\w+)` \(", sections[event_type]) == fields


def test_no_event_is_listed_that_does_not_exist() -> None:
    assert re.findall(r"^### `([\w.]+)`", read("docs/events.md"), re.MULTILINE) == list(EVENT_TYPES)


def test_every_reason_for_the_end_of_a_call_is_listed() -> None:
    assert set(first_words("docs/events.md")) == {*EndReason, PROCESS_LOST}


def test_every_error_code_is_listed_with_its_status() -> None:
    listed = {row[0].strip("`"): int(row[1]) for row in rows("docs/errors.md")}
    assert listed == {code.value: STATUS[code].value for code in ErrorCode}


def test_every_address_is_listed_with_its_name() -> None:
    listed = {row[1].strip("`"): row[0].strip("`") for row in rows("docs/addresses.md") if row[1]}
    patterns = {str(pattern.name): str(pattern.pattern) for pattern in own_patterns()}
    assert set(listed) == set(patterns)
    for name, route in patterns.items():
        parameters = re.sub(r"<\w+:(\w+?)(?:_id)?>", r"<\1>", route)
        assert listed[name].removeprefix("/") == parameters.removeprefix("w/<workspace>/"), name


def test_every_operation_of_the_api_is_listed() -> None:
    paths = api.get_openapi_schema(path_prefix="")["paths"]
    operations = {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}
    assert set(first_words("docs/api.md")) == operations


def test_every_websocket_is_listed() -> None:
    for pattern in [*editing, *calls]:
        route = re.sub(r"<\w+:(\w+?)(?:_id)?>", r"<\1>", str(pattern.pattern))
        assert f"`/{route}`" in read("docs/addresses.md")


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_file_that_a_document_links_to_exists(document: str) -> None:
    folder = (ROOT / document).parent
    links = re.findall(r"\]\((?!https?:)([^)#]+)[^)]*\)", read(document))
    assert [link for link in links if not (folder / link).exists()] == []


def test_every_file_that_the_architecture_names_exists() -> None:
    named = set(re.findall(r"`((?:[a-z_]+/)+[\w.]*)(?::\w+)?`", read("docs/architecture.md")))
    assert len(named) > 20
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []


def test_every_variable_that_a_call_knows_of_itself_is_listed() -> None:
    listed = dict(re.findall(r"^\| `(system__\w+)` \| (.+) \|$", read("docs/variables.md"), re.MULTILINE))
    assert listed == SYSTEM
