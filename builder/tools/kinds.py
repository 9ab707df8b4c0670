"""What can be set on a tool, by its kind: the JSON that a `Tool` stores in `config`."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Literal, Self

from jsonschema import Draft202012Validator, SchemaError
from pydantic import Field, field_validator, model_validator

from voice.spec import Frozen
from voice.tools import ToolPolicy
from voice.tools.addresses import whole_url
from voice.variables import names_in

ValueType = Literal["string", "number", "integer", "boolean", "strings", "json"]
NAME = r"^[A-Za-z][A-Za-z0-9_-]{0,63}$"
"""What language models take as the name of a tool."""
OF_THE_ENGINE = frozenset(
    {"end_call", "transfer_call", "hand_off", "send_digits", "switch_language", "search_knowledge", "leave_voicemail"}
)
"""Names of tools that agents have without a library."""
PARAMETERS = 40
MOST_LISTED = 200
LONGEST_NAME = 200
LONGEST_DESCRIPTION = 4_000
LONGEST_ALLOWED = 8_000

_SECRET = re.compile(r"secret__(\w+)")


def secrets_in(*texts: str) -> set[str]:
    """The names of the secrets that texts carry as `{{secret__name}}`."""
    return {name for text in texts for name in _SECRET.findall(text)}


class ToolConfig(Frozen):
    """How any tool is run. `timeout` is in seconds; `speech` is said before it runs."""

    timeout: float = Field(10.0, ge=0.5, le=120.0)
    speech: str = Field("", max_length=300)
    background: bool = False

    @property
    def policy(self) -> ToolPolicy:
        return ToolPolicy(timeout=self.timeout, speech=self.speech, background=self.background)

    @property
    def secrets(self) -> set[str]:
        """The names of the secrets that it needs."""
        return set()

    @property
    def needed(self) -> list[str]:
        """The variables of the call that its requests carry, secrets among them."""
        return []


class Value(Frozen):
    """One value that the model writes.

    `allowed` are the texts or numbers that it may be, with commas between them; of a "json" value its JSON Schema.
    Empty is anything.
    """

    name: str = Field(min_length=1, max_length=100)
    type: ValueType = "string"
    allowed: str = Field("", max_length=LONGEST_ALLOWED)
    required: bool = False
    description: str = Field("", max_length=1_000)

    @model_validator(mode="after")
    def _allows_something(self) -> Self:
        try:
            Draft202012Validator.check_schema(self.schema_for_model)
        except (SchemaError, RecursionError, ValueError) as error:
            said = error.message if isinstance(error, SchemaError) else str(error)
            raise ValueError(f"What {self.name} may be is not understood: {said}") from None
        return self

    @property
    def schema_for_model(self) -> dict[str, Any]:
        """Its JSON Schema. Raises ValueError."""
        told = {"description": self.description} if self.description else {}
        if self.type == "json":
            schema = json.loads(self.allowed or "{}")
            if not isinstance(schema, dict):
                raise ValueError("write its JSON Schema, which is an object.")
            return schema | told
        kind: dict[str, Any] = {"type": "string" if self.type == "strings" else self.type}
        if self.allowed and self.type != "boolean":
            words = [word.strip() for word in self.allowed.split(",") if word.strip()]
            kind["enum"] = words if kind["type"] == "string" else [json.loads(word) for word in words]
        return ({"type": "array", "items": kind} if self.type == "strings" else kind) | told


class RequestValue(Value):
    """One value of a request; `value` is the constant, or the name of the call's variable."""

    where: Literal["path", "query", "body", "header"] = "body"
    source: Literal["model", "constant", "variable"] = "model"
    value: str = Field("", max_length=2_000)


class Header(Frozen):
    name: str = Field(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$")
    value: str = Field("", max_length=4_000)


class Auth(Frozen):
    """How a request says whose it is: `secret` is the name of one, the token or the password."""

    scheme: Literal["none", "bearer", "basic"] = "none"
    user: str = Field("", max_length=200)
    secret: str = Field("", max_length=40)


class Assignment(Frozen):
    """What lies at `path` of the answer becomes the call's `variable`."""

    path: str = Field(min_length=1, max_length=200)
    variable: str = Field(pattern=r"^[A-Za-z_]\w{0,63}$")


class HttpConfig(ToolConfig):
    """A request to somebody's HTTP API. Texts may hold `{{variables}}` and `{{secret__names}}`."""

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    url: str = Field(min_length=1, max_length=2_000)
    parameters: tuple[RequestValue, ...] = Field((), max_length=PARAMETERS)
    headers: tuple[Header, ...] = Field((), max_length=40)
    auth: Auth = Auth()
    assign: tuple[Assignment, ...] = Field((), max_length=20)

    @field_validator("url")
    @classmethod
    def _whole(cls, url: str) -> str:
        return whole_url(url)

    @property
    def policy(self) -> ToolPolicy:
        """What changes something at the far end is not left half done when the caller interrupts."""
        return ToolPolicy(
            timeout=self.timeout, speech=self.speech, background=self.background, cancellable=self.method == "GET"
        )

    @property
    def secrets(self) -> set[str]:
        texts = [self.url, *(one.value for one in self.parameters), *(one.value for one in self.headers)]
        return secrets_in(*texts) | ({self.auth.secret} if self.auth.scheme != "none" and self.auth.secret else set())

    @property
    def needed(self) -> list[str]:
        constants = [one.value for one in self.parameters if one.source == "constant"]
        texts = [self.url, *(one.value for one in self.headers), *constants]
        given = [one.value or one.name for one in self.parameters if one.source == "variable"]
        return list(dict.fromkeys([*names_in(*texts), *given]))


class ClientConfig(ToolConfig):
    """A request to the caller's own application, over the connection that carries the call."""

    parameters: tuple[Value, ...] = Field((), max_length=PARAMETERS)
    expects_response: bool = True


class McpListed(Frozen):
    """A tool that a server said it has."""

    name: str = Field(min_length=1, max_length=LONGEST_NAME)
    description: str = Field("", max_length=LONGEST_DESCRIPTION)
    parameters: dict[str, Any] = Field(default_factory=dict)


class McpConfig(ToolConfig):
    """The tools of an MCP server: `listed` is what it said it has, `chosen` those of them that agents get."""

    url: str = Field(min_length=1, max_length=2_000)
    secret: str = Field("", max_length=40)
    """The name of the secret that is sent as a bearer token."""
    listed: tuple[McpListed, ...] = Field((), max_length=MOST_LISTED)
    chosen: tuple[str, ...] = Field((), max_length=MOST_LISTED)

    @field_validator("url")
    @classmethod
    def _whole(cls, url: str) -> str:
        return whole_url(url)

    @property
    def secrets(self) -> set[str]:
        return secrets_in(self.url) | ({self.secret} if self.secret else set())


class SearchConfig(ToolConfig):
    """Searches the web by one of the engines; all but DuckDuckGo need a key."""

    engine: Literal["tavily", "exa", "brave", "duckduckgo"] = "tavily"
    secret: str = Field("", max_length=40)
    speech: str = Field("Let me look that up.", max_length=300)

    @property
    def secrets(self) -> set[str]:
        return {self.secret} if self.secret and self.engine != "duckduckgo" else set()


class SmsConfig(ToolConfig):
    """A text message by the connection with that id. Texts may hold `{{variables}}`; without recipient, or without
    text, the model writes it."""

    connection: str = Field("", max_length=40)
    sender: str = Field("", max_length=200)
    """A number of that account in E.164, or a pool of numbers as the carrier names it."""
    recipient: str = Field("{{system__caller_id}}", max_length=200)
    text: str = Field("", max_length=1_600)

    @property
    def policy(self) -> ToolPolicy:
        """What is on its way is not left half done when the caller interrupts."""
        return ToolPolicy(timeout=self.timeout, speech=self.speech, background=self.background, cancellable=False)

    @property
    def needed(self) -> list[str]:
        return names_in(self.sender, self.recipient, self.text)


@dataclass(frozen=True, slots=True)
class NewTool:
    """A tool to be made."""

    kind: str
    name: str
    description: str
    config: ToolConfig


CONFIGS: dict[str, type[ToolConfig]] = {
    "http": HttpConfig,
    "client": ClientConfig,
    "mcp": McpConfig,
    "web_search": SearchConfig,
    "sms": SmsConfig,
}
