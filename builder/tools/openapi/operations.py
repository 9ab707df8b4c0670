"""The operations of an OpenAPI document, each as the tool that it can be."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin, urlsplit

from pydantic import ValidationError

from builder.documents import NotUnderstood
from builder.tools.curl import Imported, name_of
from builder.tools.kinds import NAME, OF_THE_ENGINE, HttpConfig
from builder.tools.openapi.body import Body
from builder.tools.openapi.schemas import Schemas, listed
from builder.tools.openapi.security import Security
from builder.tools.openapi.values import Values

METHODS = ("get", "post", "put", "patch", "delete")
MOST_OPERATIONS = 1_000
LONGEST_DESCRIPTION = 2_000


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation, such as "GET /orders/{id}", which is its `key`. `tool` is None where `problem` says why not.

    `notes` say what of it the tool does not do, `secrets` what each secret that it needs is, by its name.
    """

    key: str
    summary: str
    tool: Imported | None = None
    problem: str = ""
    notes: tuple[str, ...] = ()
    secrets: dict[str, str] = field(default_factory=dict)
    deprecated: bool = False


@dataclass(frozen=True, slots=True)
class Api:
    """A document: what it is called, and what it can be asked."""

    title: str
    operations: tuple[Operation, ...]


def read_api(document: Any, *, found_at: str = "") -> Api:
    """The operations of a document that was found at an address, or came without one. Raises NotUnderstood."""
    if not isinstance(document, dict):
        raise NotUnderstood("It is no OpenAPI document: that is an object with openapi, info and paths.")
    if "swagger" in document:
        raise NotUnderstood(
            "It is Swagger 2.0, the form before OpenAPI 3. Convert it, for instance on editor.swagger.io."
        )
    if not str(document.get("openapi", "")).startswith("3."):
        raise NotUnderstood("It is no OpenAPI 3 document: it has no openapi with a version such as 3.1.0.")
    paths = document.get("paths")
    if not isinstance(paths, dict) or not paths:
        raise NotUnderstood("It describes no paths, so there is nothing to ask.")
    return _Reader(document, found_at).api(paths)


class _Reader:
    def __init__(self, document: dict[str, Any], found_at: str) -> None:
        info = document.get("info")
        self._title = str(info.get("title", "") if isinstance(info, dict) else "")[:80] or "API"
        self._document, self._found_at = document, found_at
        self._schemas = Schemas(document)
        self._security = Security(document, self._schemas, self._title)
        self._names: set[str] = set(OF_THE_ENGINE)

    def api(self, paths: dict[str, Any]) -> Api:
        operations = tuple(self._operations(paths))
        if not operations:
            raise NotUnderstood("Its paths have no operations.")
        if len(operations) > MOST_OPERATIONS:
            raise NotUnderstood(f"It has {len(operations)} operations; {MOST_OPERATIONS} are possible.")
        return Api(self._title, operations)

    def _operations(self, paths: dict[str, Any]) -> Iterator[Operation]:
        for path, item in paths.items():
            try:
                around = self._schemas.at(item)
            except NotUnderstood as error:
                yield Operation(f"ANY {path}", "", problem=str(error))
                continue
            for method in METHODS:
                if method in around:
                    yield self._operation(method, path, around)

    def _operation(self, method: str, path: str, around: dict[str, Any]) -> Operation:
        said, key = around[method], f"{method.upper()} {path}"
        if not isinstance(said, dict):
            return Operation(key, "", problem="It is no object, where one has to be.")
        summary = str(said.get("summary") or said.get("description") or "").strip()[:200]
        about: dict[str, Any] = {"key": key, "summary": summary, "deprecated": said.get("deprecated") is True}
        try:
            access, values = self._security.access(said), Values(self._schemas)
            for one in [*listed(said.get("parameters")), *listed(around.get("parameters"))]:
                values.add_parameter(one)
            Body(self._schemas, values).add(said.get("requestBody"))
            request = {
                "method": method.upper(),
                "url": self._address(said, around) + path,
                "parameters": [*values.chosen(), *access.parameters],
                "headers": access.headers,
                "auth": access.auth,
            }
            config = HttpConfig.model_validate(request)
            _require_path(path, config)
        except NotUnderstood as error:
            return Operation(**about, problem=str(error))
        except ValidationError as error:
            return Operation(**about, problem=error.errors()[0]["msg"].removeprefix("Value error, "))
        tool = Imported(self._name(said, method, path), config, _description(said, key))
        return Operation(**about, tool=tool, notes=tuple(values.notes), secrets=access.secrets)

    def _address(self, said: dict[str, Any], around: dict[str, Any]) -> str:
        """Where the server is, without the slash at its end."""
        named: list[Any] = [listed(one.get("servers")) for one in (said, around, self._document)]
        server = self._schemas.at(next((servers[0] for servers in named if servers), {}))
        url = str(server.get("url", "/"))
        variables = server.get("variables")
        for name, variable in (variables if isinstance(variables, dict) else {}).items():
            default = variable.get("default", "") if isinstance(variable, dict) else ""
            url = url.replace(f"{{{name}}}", str(default))
        try:
            whole = urljoin(self._found_at, url)
            scheme = urlsplit(whole).scheme
        except ValueError:
            raise NotUnderstood(f"Its server is at {url[:80]}, which is no address. Correct it there.") from None
        if scheme not in ("http", "https"):
            raise NotUnderstood("It does not say at which address its server is. Write the server's address below.")
        return whole.rstrip("/")

    def _name(self, said: dict[str, Any], method: str, path: str) -> str:
        """A name that no other tool of the document has."""
        given = re.sub(r"[^A-Za-z0-9_-]+", "_", str(said.get("operationId") or "")).strip("_-")[:64]
        wanted = given if re.match(NAME, given) else name_of(method, path)
        name, number = wanted, 2
        while name in self._names:
            name, number = f"{wanted[:60]}_{number}", number + 1
        self._names.add(name)
        return name


def _description(said: dict[str, Any], key: str) -> str:
    texts = [str(said.get(name) or "").strip() for name in ("summary", "description")]
    return "\n".join(dict.fromkeys(filter(None, texts)))[:LONGEST_DESCRIPTION] or f"Asks {key}."


def _require_path(path: str, config: HttpConfig) -> None:
    known = {one.name for one in config.parameters if one.where == "path"}
    if missing := [name for name in re.findall(r"\{([^{}]+)\}", path) if name not in known]:
        raise NotUnderstood(f"Its path has {{{missing[0]}}}, which it does not describe.")
