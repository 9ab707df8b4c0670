"""The forms of tools, one for each kind, and of secrets."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from django import forms
from pydantic import ValidationError

from accounts.models import Organization
from builder import vendors
from builder.fields import NumberField, RowsField, bare
from builder.tools import controls, texting
from builder.tools.curl import Imported, NotUnderstood, from_curl
from builder.tools.kinds import CONFIGS, NAME, OF_THE_ENGINE, PARAMETERS, McpConfig, ToolConfig
from builder.tools.models import Tool

NAMES_OF_SECRETS = r"^[a-z][a-z0-9_]{0,39}$"
SHORTEST_SECRET = 4
"""A shorter one would be masked in every other word."""


def _secret(label: str, help_text: str) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, required=False, help_text=help_text)


def _url(help_text: str) -> forms.CharField:
    return forms.CharField(
        label="Address", max_length=2_000, widget=forms.TextInput(attrs={"autocomplete": "off"}), help_text=help_text
    )


class ToolForm(forms.Form):
    """What every tool has. After `is_valid`, `config` is what is to be stored."""

    kind: ClassVar[str]
    RUNNING: ClassVar = ("speech", "timeout", "background")
    EXTRA: ClassVar[tuple[str, ...]] = ()
    """The kind's own controls, in the order of the page; each sets the setting of its name."""

    name = forms.CharField(
        label="Name",
        max_length=64,
        help_text="What the model calls it: letters, digits, _ and -.",
        widget=forms.TextInput(attrs={"placeholder": "find_order", "autocomplete": "off"}),
    )
    description = forms.CharField(
        label="What it does, and when to use it",
        max_length=2_000,
        widget=forms.Textarea(
            attrs={
                "rows": 3,
                "placeholder": "Finds an order by its number. Use it when a caller asks where something is.",
            }
        ),
        help_text="The model decides by these words.",
    )
    speech = forms.CharField(
        label="Said before it runs",
        required=False,
        max_length=300,
        widget=forms.TextInput(attrs={"placeholder": "One moment, I look it up."}),
        help_text="Unless the agent has said something already. Empty: nothing.",
    )
    timeout = NumberField(
        label="Given up after",
        min_value=0.5,
        max_value=120,
        help_text="Seconds. The agent then says that it did not work.",
    )
    background = forms.BooleanField(
        label="The conversation goes on meanwhile",
        required=False,
        help_text="The agent tells the result when it is there.",
    )

    def __init__(self, data: Any = None, *, organization: Organization, tool: Tool | None = None) -> None:
        self.organization, self.tool = organization, tool
        self.stored: ToolConfig | None = tool.parsed_config if tool else None
        super().__init__(data, initial=self._initial())
        names = list(organization.secrets.values_list("name", flat=True))
        for field in self.fields.values():
            if isinstance(field, forms.ChoiceField) and not field.choices:
                field.choices = [("", "None"), *((name, name) for name in names)]

    def _initial(self) -> dict[str, Any]:
        if self.tool is None or self.stored is None:
            return {
                name: field.default
                for name, field in CONFIGS[self.kind].model_fields.items()
                if not field.is_required()
            }
        return {"name": self.tool.name, "description": self.tool.description, **self._values()}

    def _values(self) -> dict[str, Any]:
        """The stored settings by the controls' names."""
        return self.stored.model_dump() if self.stored else {}

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"].strip()
        if not re.match(NAME, name):
            raise forms.ValidationError("Begin with a letter from A to Z, then letters, digits, _ and - only.")
        if name in OF_THE_ENGINE:
            raise forms.ValidationError("Callwright itself brings a tool of this name. Choose another one.")
        others = self.organization.tools.filter(name=name).exclude(pk=self.tool.pk if self.tool else "")
        if others.exists():
            raise forms.ValidationError("There is already a tool of this name.")
        return name

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if self.errors:
            return data
        try:
            self.config = CONFIGS[self.kind].model_validate(self._settings(data))
        except ValidationError as error:
            for problem in error.errors():
                field = str(problem["loc"][0]) if problem["loc"] else ""
                said = problem["msg"].removeprefix("Value error, ")
                self.add_error(field if field in self.fields else None, said)
            return data
        known = set(self.organization.secrets.values_list("name", flat=True))
        if missing := sorted(self.config.secrets - known):
            self.add_error(None, f"There is no secret {missing[0]}. Enter it under Secrets first.")
        return data

    def _settings(self, data: dict[str, Any]) -> dict[str, Any]:
        return {name: data[name] for name in (*self.RUNNING, *self.EXTRA)}

    @property
    def own(self) -> list[forms.BoundField]:
        """The kind's own controls."""
        return [self[name] for name in self.EXTRA]

    @property
    def running(self) -> list[forms.BoundField]:
        """How it is run."""
        return [self[name] for name in self.RUNNING]


class HttpForm(ToolForm):
    kind = "http"
    EXTRA = ("method", "url", "parameters", "headers", "auth_scheme", "auth_user", "auth_secret", "assign")

    method = forms.ChoiceField(label="Method", choices=controls.METHODS)
    url = _url(
        "A parameter of the path stands as <code>{order_number}</code>, a variable of the call as "
        "<code>{{customer_id}}</code>, a secret as <code>{{secret__name}}</code>."
    )
    parameters = RowsField(
        controls.REQUEST_VALUES,
        label="Parameters",
        adds="Add a parameter",
        most=PARAMETERS,
        help_text="In the body, dots lead deeper: <code>customer.name</code>.",
    )
    headers = RowsField(controls.HEADERS, label="Headers", adds="Add a header", most=40)
    auth_scheme = forms.ChoiceField(label="Proves who asks by", choices=controls.AUTH)
    auth_user = forms.CharField(
        label="User", required=False, max_length=200, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    auth_secret = _secret("Token or password", "One of the workspace's secrets.")
    assign = RowsField(
        controls.ASSIGNMENTS,
        label="Remember from the answer",
        adds="Remember something",
        most=20,
        help_text="Becomes a variable of the call, which other tools can use.",
    )

    def _values(self) -> dict[str, Any]:
        values = super()._values()
        auth = values.pop("auth")
        return values | {f"auth_{name}": value for name, value in auth.items()}

    def _initial(self) -> dict[str, Any]:
        return {"auth_scheme": "none"} | super()._initial()

    def _settings(self, data: dict[str, Any]) -> dict[str, Any]:
        values = super()._settings(data)
        auth = {name: values.pop(f"auth_{name}") for name in ("scheme", "user", "secret")}
        values["parameters"] = [_value(row) for row in values["parameters"]]
        return values | {"auth": auth}

    def clean_parameters(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.cleaned_data["parameters"]
        _require_different(rows)
        for row in rows:
            if row["source"] == "variable":
                row["value"] = bare(row["value"]) or row["name"]
        return rows

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        if data.get("auth_scheme") in ("bearer", "basic") and not data.get("auth_secret"):
            self.add_error("auth_secret", "Choose a secret; enter it under Secrets first.")
        for row in data.get("parameters", ()):
            if row["where"] == "path" and f"{{{row['name']}}}" not in data.get("url", ""):
                self.add_error(
                    "url", f"{{{row['name']}}} does not stand in the address, and is a parameter of its path."
                )
        return super().clean()


class ClientForm(ToolForm):
    kind = "client"
    EXTRA = ("parameters", "expects_response")

    parameters = RowsField(controls.CLIENT_VALUES, label="Parameters", adds="Add a parameter", most=PARAMETERS)
    expects_response = forms.BooleanField(
        label="It answers",
        required=False,
        help_text="The agent waits for what the application says. Off: it is told, and the agent goes on.",
    )

    def clean_parameters(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.cleaned_data["parameters"]
        _require_different(rows)
        return [_value(row) for row in rows]


class McpForm(ToolForm):
    kind = "mcp"
    EXTRA = ("url", "secret", "chosen")

    url = _url("Of the server, such as https://mcp.example.com/mcp")
    secret = _secret("Bearer token", "One of the workspace's secrets, if the server wants one.")
    chosen = forms.MultipleChoiceField(
        label="Tools that agents get", required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, data: Any = None, *, organization: Organization, tool: Tool | None = None) -> None:
        super().__init__(data, organization=organization, tool=tool)
        self.fields["name"].help_text = "For you. The model calls each of its tools as the server does."
        self.fields["description"].required = False
        listed = self.stored.listed if isinstance(self.stored, McpConfig) else ()
        chosen: Any = self.fields["chosen"]
        chosen.choices = [
            (one.name, f"{one.name}: {one.description}" if one.description else one.name) for one in listed
        ]

    def _settings(self, data: dict[str, Any]) -> dict[str, Any]:
        listed = self.stored.model_dump()["listed"] if isinstance(self.stored, McpConfig) else ()
        return super()._settings(data) | {"listed": listed}


class SearchForm(ToolForm):
    kind = "web_search"
    EXTRA = ("engine", "secret")

    engine = forms.ChoiceField(label="Searches with", choices=controls.ENGINES)
    secret = _secret("Key", "One of the workspace's secrets.")

    def __init__(self, data: Any = None, *, organization: Organization, tool: Tool | None = None) -> None:
        super().__init__(data, organization=organization, tool=tool)
        self.fields["description"].required = False
        self.fields["description"].help_text = "Empty: to search for what is new or what the agent does not know."

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        if data.get("engine") != "duckduckgo" and not data.get("secret"):
            self.add_error("secret", "Choose the secret that holds the key; enter it under Secrets first.")
        return super().clean()


class SmsForm(ToolForm):
    kind = "sms"
    EXTRA = ("connection", "sender", "recipient", "text")

    connection = forms.ChoiceField(label="Sent by", help_text="A connection to a carrier, such as Twilio or Telnyx.")
    sender = forms.CharField(
        label="From",
        max_length=200,
        help_text="A number of that account, such as +14155550100, or a pool of numbers: "
        "Twilio's messaging service (MG…), Telnyx's messaging profile.",
    )
    recipient = forms.CharField(
        label="To",
        required=False,
        max_length=200,
        help_text="<code>{{system__caller_id}}</code> is who called, <code>{{system__called_number}}</code> whom the "
        "agent called. Empty: the model writes the number, and what callers say decides to whom messages go.",
    )
    text = forms.CharField(
        label="Text",
        required=False,
        max_length=1_600,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="May hold <code>{{variables}}</code>. Empty: the model writes it.",
    )

    def __init__(self, data: Any = None, *, organization: Organization, tool: Tool | None = None) -> None:
        super().__init__(data, organization=organization, tool=tool)
        self.fields["name"].widget.attrs["placeholder"] = "text_the_caller"
        self.fields["description"].widget.attrs["placeholder"] = (
            "Sends the caller a text message. Use it when they want something in writing."
        )
        self._vendors = dict(organization.model_connections.values_list("pk", "vendor"))
        names = organization.model_connections.values_list("pk", "name")
        connection: Any = self.fields["connection"]
        connection.choices = [
            ("", "Choose one"),
            *((key, name) for key, name in names if vendors.has_role(self._vendors[key], "sms")),
        ]
        if len(connection.choices) == 1:
            connection.help_text = "There is none yet: add one of Twilio or Telnyx under Connections."

    def clean_sender(self) -> str:
        sender: str = self.cleaned_data["sender"].strip()
        if problem := texting.wrong_sender(sender, self._vendors.get(self.cleaned_data.get("connection", ""), "")):
            raise forms.ValidationError(problem)
        return sender

    def clean_recipient(self) -> str:
        recipient: str = self.cleaned_data["recipient"].strip()
        if recipient and (problem := texting.wrong_recipient(recipient)):
            raise forms.ValidationError(problem)
        return recipient


FORMS: dict[str, type[ToolForm]] = {form.kind: form for form in (HttpForm, ClientForm, McpForm, SearchForm, SmsForm)}


class SecretForm(forms.Form):
    """A new secret, or another value for one that is there."""

    name = forms.CharField(
        label="Name",
        max_length=40,
        help_text="Tools write {{secret__name}}.",
        widget=forms.TextInput(attrs={"placeholder": "shop_key", "autocomplete": "off"}),
    )
    value = forms.CharField(
        label="Secret",
        min_length=SHORTEST_SECRET,
        max_length=4_000,
        widget=forms.PasswordInput(render_value=False, attrs={"autocomplete": "off"}),
        help_text="Stored encrypted and never shown again.",
    )

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"].strip()
        if not re.match(NAMES_OF_SECRETS, name):
            raise forms.ValidationError("Begin with a letter from a to z, then small letters, digits and _ only.")
        return name


class ImportForm(forms.Form):
    """A curl command."""

    command = forms.CharField(
        label="curl command",
        max_length=20_000,
        widget=forms.Textarea(
            attrs={"rows": 8, "placeholder": "curl https://api.example.com/orders/7", "spellcheck": "false"}
        ),
        help_text="As the documentation of a service shows it. It is read, not run.",
    )

    def clean_command(self) -> Imported:
        try:
            return from_curl(self.cleaned_data["command"])
        except ValidationError as error:
            raise forms.ValidationError(error.errors()[0]["msg"].removeprefix("Value error, ")) from error
        except NotUnderstood as error:
            raise forms.ValidationError(str(error)) from error


def _value(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "required": bool(row["required"])}


def _require_different(rows: list[dict[str, Any]]) -> None:
    if len({row["name"] for row in rows}) < len(rows):
        raise forms.ValidationError("Two of them have the same name.")
