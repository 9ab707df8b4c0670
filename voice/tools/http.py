"""A tool that is a request to somebody's HTTP API."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import quote

import httpx

from voice.providers.base import ToolSchema
from voice.tools import CallControl, Outcome, ToolError, ToolPolicy
from voice.values import in_letters
from voice.variables import render, value_at

Where = Literal["path", "query", "header", "body"]

# More than this of an answer is not read.
LARGEST = 64 * 1024
# What an answer that is no success says about itself, for the model.
REFUSAL_LIMIT = 300
RETRY_SECONDS = 0.3
_MAY_WORK_LATER = frozenset({408, 429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One value of a request: written by the model, taken from a variable of the call, or always the same.

    `name` is dotted where it goes deep into the body ("customer.name"). In the path it replaces `{name}`.
    """

    name: str
    where: Where = "body"
    source: Literal["model", "variable", "constant"] = "model"
    value: object = None
    """The constant, or the name of the variable."""
    schema: Mapping[str, Any] = field(default_factory=lambda: {"type": "string"})
    """What the model is told of it, as JSON Schema."""
    required: bool = True

    @property
    def key(self) -> str:
        """What the model calls it."""
        return re.sub(r"\W+", "_", self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """How an API is asked. Texts may hold `{{variables}}` of the call.

    `bearer` is a token; `basic` is (user, password). `assign` maps variables to dotted paths in the answer
    ("booking.slots.0.time"). `retries` follow what may work a moment later, and only for methods that can be repeated
    unless `repeatable` says so.
    """

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    url: str
    parameters: Sequence[Parameter] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    bearer: str = ""
    basic: tuple[str, str] | None = None
    assign: Mapping[str, str] = field(default_factory=dict)
    retries: int = 1
    repeatable: bool | None = None

    @property
    def may_repeat(self) -> bool:
        """A POST that was received may have had its effect."""
        return self.method not in ("POST", "PATCH") if self.repeatable is None else self.repeatable


class HttpTool:
    """Asks an API when the model wants it to, and tells the model what it answered.

    `client` must be one that addresses which people typed may be given to.
    """

    def __init__(
        self, *, name: str, description: str, request: HttpRequest, client: httpx.AsyncClient, policy: ToolPolicy
    ) -> None:
        self.policy = policy
        self._request = request
        self._client = client
        asked = [parameter for parameter in request.parameters if parameter.source == "model"]
        self.schema = ToolSchema(
            name=name,
            description=description,
            parameters={
                "type": "object",
                "properties": {parameter.key: dict(parameter.schema) for parameter in asked},
                "required": [parameter.key for parameter in asked if parameter.required],
            },
        )

    async def run(self, arguments: Mapping[str, object], call: CallControl) -> Outcome:
        request = self._build(arguments, call.variables)
        left = self._request.retries
        while True:
            try:
                response, body = await self._exchange(request)
                if response.status_code not in _MAY_WORK_LATER or not (left and self._request.may_repeat):
                    return self._outcome(response, body)
            except httpx.HTTPError as error:
                unsent = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
                if not (left and (unsent or self._request.may_repeat)):
                    what = "could not be reached" if unsent else "broke off"
                    reason = str(error).rstrip(".") or type(error).__name__
                    raise ToolError(f"The service {what}: {reason}.") from error
            left -= 1
            await asyncio.sleep(RETRY_SECONDS)

    # --- asking

    def _build(self, arguments: Mapping[str, object], variables: Mapping[str, object]) -> httpx.Request:
        request = self._request
        url = _filled(request.url, variables, escape=True)
        query: dict[str, list[str]] = {}
        headers = {name: _filled(value, variables) for name, value in request.headers.items()}
        body: dict[str, Any] = {}
        for parameter in request.parameters:
            value = _value_of(parameter, arguments, variables)
            if value is None:
                continue
            match parameter.where:
                case "path":
                    url = url.replace(f"{{{parameter.name}}}", _segment(value))
                case "query":
                    query[parameter.name] = [_plain(one) for one in (value if isinstance(value, list) else [value])]
                case "header":
                    headers[parameter.name] = _plain(value)
                case "body":
                    _put(body, parameter.name, value)
        if request.bearer:
            headers["Authorization"] = f"Bearer {_filled(request.bearer, variables)}"
        try:
            target = httpx.URL(url).copy_merge_params(query)
            built = self._client.build_request(request.method, target, headers=headers, json=body or None)
        except (httpx.InvalidURL, ValueError) as error:
            raise ToolError(f"The request could not be made: {error}.") from error
        return built if request.basic is None else next(httpx.BasicAuth(*request.basic).auth_flow(built))

    async def _exchange(self, request: httpx.Request) -> tuple[httpx.Response, bytes]:
        """The answer and its body. Raises httpx.HTTPError."""
        response = await self._client.send(request, stream=True)
        try:
            body = bytearray()
            async for part in response.aiter_bytes():
                body += part
                if len(body) > LARGEST:
                    raise ToolError(f"The service answered with more than {LARGEST // 1024} KiB.")
            return response, bytes(body)
        finally:
            await response.aclose()

    # --- what was answered

    def _outcome(self, response: httpx.Response, body: bytes) -> Outcome:
        text = body.decode("utf-8", "replace").strip()
        if response.is_error:
            raise ToolError(f"The service refused with status {response.status_code}: {text[:REFUSAL_LIMIT]}")
        if response.is_redirect:
            raise ToolError("The service is at another address now. Its address must be changed in the tool.")
        if "html" in response.headers.get("Content-Type", ""):
            raise ToolError("The service answered with a web page instead of data.")
        data: object = None
        try:
            data = json.loads(text) if text else None
        except ValueError:
            if self._request.assign:
                raise ToolError("The service did not answer in JSON.") from None
        found = {name: value_at(data, path) for name, path in self._request.assign.items()}
        variables = {name: value for name, value in found.items() if value is not None}
        return Outcome(_brief(data) if data is not None else text or "Done.", variables=variables)


def _value_of(parameter: Parameter, arguments: Mapping[str, object], variables: Mapping[str, object]) -> object:
    match parameter.source:
        case "model":
            return arguments.get(parameter.key)
        case "variable":
            value = value_at(variables, str(parameter.value or parameter.name))
            if value is None and parameter.required:
                raise ToolError(f"The call has no {parameter.value or parameter.name} yet.")
            return value
        case "constant":
            value = parameter.value
            return _filled(value, variables) if isinstance(value, str) else value


def _filled(text: str, variables: Mapping[str, object], *, escape: bool = False) -> str:
    """`text` with the values of its `{{variables}}`; those in a URL cannot leave their place in it."""

    def missing(name: str) -> str:
        raise ToolError(f"The call has no {name} yet.")

    return render(text, variables, written=_segment if escape else _plain, missing=missing)


def _segment(value: object) -> str:
    """A value in a URL: it cannot become another part of the address, or another path."""
    text = _plain(value)
    if set(text) == {"."}:
        raise ToolError(f"{text} cannot be part of an address.")
    return quote(text, safe="")


def _put(body: dict[str, Any], name: str, value: object) -> None:
    *steps, last = name.split(".")
    for step in steps:
        body = body.setdefault(step, {})
    body[last] = value


def _plain(value: object) -> str:
    """A value as it is written in a URL or a header: no line breaks."""
    return " ".join(in_letters(value).split())


def _brief(data: object) -> str:
    """JSON with no more signs than it needs: each of them is read by a model while a caller waits."""
    return json.dumps(_without_nothing(data), ensure_ascii=False, separators=(",", ":"))


def _without_nothing(data: object) -> object:
    if isinstance(data, Mapping):
        return {name: _without_nothing(value) for name, value in data.items() if value not in (None, "", [], {})}
    if isinstance(data, list):
        return [_without_nothing(one) for one in data]
    return data
