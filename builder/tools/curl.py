"""A tool from a curl command, such as API documentations show. It is read, never run."""

from __future__ import annotations

import itertools
import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, parse_qsl, urlsplit, urlunsplit

from builder.documents import NotUnderstood
from builder.tools.kinds import HttpConfig

__all__ = ["Imported", "NotUnderstood", "from_curl", "keep_secret", "name_of", "secret_name"]

SILENT = frozenset(
    "-s -S -L -i -v -f -g -sS -sSL -fsSL -sL --silent --show-error --location --include --verbose --fail "
    "--compressed --globoff --http1.1 --http2".split()
)
"""Options without a value that change nothing about the request."""
_DATA = frozenset({"-d", "--data", "--data-raw", "--data-ascii", "--data-binary", "--json", "--data-urlencode"})
_SHORT = re.compile(r"-[XHdu].")
_IGNORED_VALUES = frozenset(
    {"-o", "--output", "-m", "--max-time", "--connect-timeout", "-A", "--user-agent", "--retry"}
)
LONGEST_SECRET_NAME = 37
"""Characters; with a number behind it, it still fits."""
_SENSITIVE = re.compile(r"key|token|secret|auth|cookie|password", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Imported:
    """A tool to be made. `secrets` are texts that were found in it, by the names under which it refers to them."""

    name: str
    config: HttpConfig
    description: str = ""
    secrets: dict[str, str] = field(default_factory=dict, repr=False)


@dataclass(slots=True)
class _Command:
    method: str = ""
    url: str = ""
    user: str = ""
    headers: list[tuple[str, str]] = field(default_factory=list)
    data: list[str] = field(default_factory=list)
    in_query: bool = False


def from_curl(text: str) -> Imported:
    """What a curl command asks for. What in its headers looks like a key becomes a secret. Raises NotUnderstood."""
    command = _read(_words(text))
    parts = _parts(command.url)
    name = name_of(command.method or "get", parts.path)
    parameters = [_constant("query", key, value) for key, value in parse_qsl(parts.query, keep_blank_values=True)]
    data = [pair for one in command.data for pair in _fields(one, in_query=command.in_query)]
    parameters += [_constant("query" if command.in_query else "body", key, value) for key, value in data]
    secrets: dict[str, str] = {}
    auth, headers = _authority(command, name, secrets)
    config = HttpConfig.model_validate(
        {
            "method": command.method or ("POST" if command.data and not command.in_query else "GET"),
            "url": urlunsplit((parts.scheme, parts.netloc, parts.path, "", "")),
            "parameters": parameters,
            "headers": headers,
            "auth": auth,
        }
    )
    return Imported(name, config, secrets=secrets)


def _parts(url: str) -> SplitResult:
    try:
        return urlsplit(url if "://" in url else f"https://{url}")
    except ValueError as error:
        raise NotUnderstood(f"{url[:80]} is no address. Write your own words for what stands in brackets.") from error


def name_of(method: str, path: str) -> str:
    """A name for a tool by what it asks: GET /v1/orders/{id} is get_orders."""
    words = [part for part in path.split("/") if part and not re.fullmatch(r"v\d+|\{.*\}|[\d-]+|api", part)]
    return re.sub(r"\W+", "_", "_".join([method.lower(), *words[-2:]]))[:64].strip("_")


def secret_name(tool: str, header: str) -> str:
    """A name for a secret. What is too long is cut off the tool: the header tells its secrets apart."""
    front, end = (re.sub(r"\W+", "_", text.lower()).strip("_") for text in (tool, header))
    end = end[:30]
    return f"{front[: LONGEST_SECRET_NAME - 1 - len(end)].strip('_')}_{end}".strip("_")


def keep_secret(secrets: dict[str, str], wanted: str, value: str) -> str:
    """Put a secret to others, by the wanted name, or by that with a number where another value has it. Gives it."""
    numbered = (f"{wanted}_{number}" for number in itertools.count(2))
    return next(name for name in itertools.chain([wanted], numbered) if secrets.setdefault(name, value) == value)


def _words(text: str) -> list[str]:
    try:
        words = shlex.split(re.sub(r"[\\^]\r?\n", " ", text.strip()))
    except ValueError as error:
        raise NotUnderstood(f"The command is cut off or misses a quotation mark: {error}.") from error
    if not words or words[0] != "curl":
        raise NotUnderstood("Paste a command that begins with curl.")
    return words[1:]


def _read(words: list[str]) -> _Command:
    command, rest = _Command(), iter(words)
    for word in rest:
        if _SHORT.match(word) and not word.startswith("--"):
            _option(word[:2], word[2:], command)  # -XPOST
        elif word.startswith("--") and "=" in word:
            option, value = word.split("=", 1)
            _option(option, value, command)
        elif word in SILENT:
            continue
        elif word in ("-G", "--get"):
            command.in_query = True
        elif word.startswith("-"):
            _option(word, _value(word, rest), command)
        elif command.url:
            raise NotUnderstood(f"It asks for two addresses: {command.url} and {word[:60]}.")
        else:
            command.url = word
    if not command.url:
        raise NotUnderstood("There is no address in it.")
    return command


def _value(option: str, rest: Iterator[str]) -> str:
    value = next(rest, None)
    if value is None:
        raise NotUnderstood(f"{option} has no value.")
    return value


def _option(option: str, value: str, command: _Command) -> None:
    if option in ("-X", "--request"):
        command.method = value.upper()
    elif option in ("-H", "--header"):
        name, _, content = value.partition(":")
        command.headers.append((name.strip(), content.strip()))
    elif option in ("-u", "--user"):
        command.user = value
    elif option == "--url":
        command.url = value
    elif option in _DATA:
        command.data.append(value)
    elif option not in _IGNORED_VALUES:
        raise NotUnderstood(f"The option {option[:40]} is not understood. Take it out, or make the tool by hand.")


def _fields(data: str, *, in_query: bool) -> list[tuple[str, Any]]:
    """The fields of a body, which is a JSON object; or those that belong into the address."""
    if in_query:
        return list(parse_qsl(data, keep_blank_values=True))
    try:
        body = json.loads(data)
        leaves = list(_leaves(body)) if isinstance(body, dict) else None
    except RecursionError as error:
        raise NotUnderstood("Its data is nested too deeply.") from error
    except ValueError as error:
        raise NotUnderstood("Its data is no JSON. Tools send JSON, not web forms or files.") from error
    if leaves is None:
        raise NotUnderstood("Its data is no JSON object.")
    return leaves


def _leaves(body: dict[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """The values of a body, by their dotted names."""
    for name, value in body.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, f"{above}{name}.")
        elif value is not None:
            yield f"{above}{name}", value


def _constant(where: str, name: str, value: Any) -> dict[str, Any]:
    """A value of the example becomes one that is always the same, until somebody lets the model write it."""
    made = {"name": name, "where": where, "source": "constant"}
    kinds = {bool: "boolean", int: "integer", float: "number", str: "string"}
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return {**made, "type": "strings", "value": ", ".join(value)}
    if type(value) not in kinds:
        raise NotUnderstood(f"The value of {name} is a list or an object that a tool cannot hold.")
    text = value if isinstance(value, str) else json.dumps(value)
    return {**made, "type": kinds[type(value)], "value": text}


def _authority(command: _Command, name: str, secrets: dict[str, str]) -> tuple[dict[str, str], list[dict[str, str]]]:
    """Who asks, with keys as secrets; and the other headers."""
    auth, headers = {"scheme": "none"}, []
    if command.user:
        user, _, password = command.user.partition(":")
        secret = keep_secret(secrets, secret_name(name, "password"), password)
        auth = {"scheme": "basic", "user": user, "secret": secret}
    for header, value in command.headers:
        kind, _, token = value.partition(" ")
        if header.lower() == "authorization" and kind.lower() == "bearer":
            auth = {"scheme": "bearer", "secret": keep_secret(secrets, secret_name(name, "token"), token.strip())}
        elif header.lower() in ("content-type", "accept"):
            continue  # JSON goes out, and whatever comes is read
        elif _SENSITIVE.search(header):
            hidden = keep_secret(secrets, secret_name(name, header), value)
            headers.append({"name": header, "value": f"{{{{secret__{hidden}}}}}"})
        else:
            headers.append({"name": header, "value": value})
    return auth, headers
