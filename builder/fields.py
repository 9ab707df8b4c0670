"""Form fields for the settings of an agent, with the limits that AgentConfig sets."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from django import forms
from django.utils.html import format_html_join
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from builder.config import AgentConfig
from voice.flow.spec import Flow
from voice.tools.addresses import NUMBER, tidy_number
from voice.values import require_name
from voice.variables import names_in

Row = dict[str, str]


def schema(path: str) -> FieldInfo:
    """The schema of the setting at a dotted path of AgentConfig, such as `voice.speed`."""
    *parents, name = path.split(".")
    model: type[BaseModel] = AgentConfig
    for parent in parents:
        model = cast("type[BaseModel]", model.model_fields[parent].annotation)
    return model.model_fields[name]


def bound(path: str, kind: str) -> Any:
    """The limit that the schema sets: `ge`, `le` or `max_length`."""
    return next((getattr(rule, kind) for rule in schema(path).metadata if hasattr(rule, kind)), None)


class NumberField(forms.FloatField):
    """Shows 12, not 12.0."""

    def prepare_value(self, value: Any) -> Any:
        return int(value) if isinstance(value, float) and value.is_integer() else value


class MinutesField(NumberField):
    """Minutes for people, seconds in the config."""

    def prepare_value(self, value: Any) -> Any:
        return super().prepare_value(round(value / 60, 4) if isinstance(value, int | float) else value)

    def clean(self, value: Any) -> float | None:
        minutes = super().clean(value)
        return None if minutes is None else round(minutes * 60, 1)


def number(path: str, label: str, help_text: str, *, step: float = 0.1, required: bool = True) -> NumberField:
    """A number field with the limits of the schema."""
    return NumberField(
        label=label,
        help_text=help_text,
        required=required,
        min_value=bound(path, "ge"),
        max_value=bound(path, "le"),
        widget=forms.NumberInput(attrs={"step": step}),
    )


def whole(path: str, label: str, help_text: str) -> forms.IntegerField:
    return forms.IntegerField(
        label=label, help_text=help_text, min_value=bound(path, "ge"), max_value=bound(path, "le")
    )


def text(label: str, help_text: str, *, path: str = "", rows: int = 2, required: bool = True) -> forms.CharField:
    return forms.CharField(
        label=label,
        help_text=help_text,
        required=required,
        max_length=bound(path, "max_length") if path else 500,
        widget=forms.Textarea(attrs={"rows": rows}),
    )


class LevelField(forms.TypedChoiceField):
    """A number as one of a few levels. One that is none of them can stay as it is."""

    def __init__(self, levels: Sequence[tuple[float, str]], *, unit: str, **options: Any) -> None:
        super().__init__(choices=[(str(level), label) for level, label in levels], coerce=float, **options)
        self._unit = unit

    def prepare_value(self, value: Any) -> Any:
        return str(float(value)) if isinstance(value, int | float) else value

    def offer(self, value: float) -> None:
        """Have its own number among the levels."""
        known = [(float(level), label) for level, label in cast("list[tuple[str, str]]", self.choices)]
        if value not in dict(known):
            known = sorted([*known, (value, f"{value:g} {self._unit}")])
            self.choices = [(str(level), label) for level, label in known]

    def words(self, value: float) -> str:
        """The number as people read it."""
        choices = cast("list[tuple[str, str]]", self.choices)
        return dict(choices).get(str(float(value)), f"{value:g} {self._unit}")


class LinesField(forms.CharField):
    """Several short texts, one a line, as a tuple."""

    def __init__(self, *, most: int, longest: int, **options: Any) -> None:
        super().__init__(required=False, widget=forms.Textarea(attrs={"rows": 3}), **options)
        self._most, self._longest = most, longest

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list | tuple) else value

    def clean(self, value: Any) -> tuple[str, ...]:
        lines = tuple(
            dict.fromkeys(" ".join(line.split()) for line in super().clean(value).splitlines() if line.strip())
        )
        if len(lines) > self._most:
            raise forms.ValidationError(f"That are {len(lines)} lines; {self._most} are possible.")
        if too_long := [line for line in lines if len(line) > self._longest]:
            raise forms.ValidationError(f"“{too_long[0][:20]}…” is longer than {self._longest} letters.")
        return lines


class FlowField(forms.CharField):
    """The steps of an agent, as JSON in a control that the flow editor fills in; none is an empty text."""

    def prepare_value(self, value: Any) -> Any:
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False) if value else ""

    def clean(self, value: Any) -> dict[str, Any] | None:
        text = super().clean(value)
        if not text:
            return None
        try:
            return Flow.model_validate_json(text).model_dump()
        except ValidationError as error:
            raise forms.ValidationError(
                [f"{'.'.join(map(str, one['loc'])) or 'flow'}: {one['msg']}" for one in error.errors()[:10]]
            ) from None

    @staticmethod
    def words(value: Any) -> str:
        """A flow in words, a setting a line, without where its steps stand."""
        return "\n".join(_flow_lines(value)) if value else "none"


def _flow_lines(flow: Mapping[str, Any]) -> Iterator[str]:
    full = Flow.model_validate(flow)
    if full.start:
        yield f"Begins with {full.start}"
    for step in full.steps:
        yield f"{step.id}: {step.title} ({step.kind})"
        settings = step.model_dump(mode="json", exclude_defaults=True, exclude={"id", "name", "kind", "position"})
        yield from (f"  {name}: {_short(value)}" for name, value in settings.items())
    for route in full.routes:
        yield f"From everywhere: {' · '.join(filter(None, (route.when, route.condition)))} → {route.to}"


def _short(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


class SuggestWidget(forms.TextInput):
    """A line of text, and what the browser suggests for it."""

    template_name = "builder/_suggest.html"

    def __init__(self, suggested: Sequence[str]) -> None:
        super().__init__()
        self._options = format_html_join("", '<option value="{}">', ((text,) for text in suggested))

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context = super().get_context(name, value, {**(attrs or {}), "list": f"suggested-{name}"})
        return context | {"options": self._options}


class SuggestField(forms.CharField):
    """A text for which there are suggestions, and any other."""

    def __init__(self, suggested: Sequence[str], **options: Any) -> None:
        super().__init__(widget=SuggestWidget(suggested), **options)


# --- rows


@dataclass(frozen=True, kw_only=True)
class Column:
    """A control of each row. `tidy` makes what was typed what is stored, or raises ValueError, which says why not."""

    name: str
    label: str
    placeholder: str = ""
    choices: Sequence[tuple[str, str]] = ()
    """A select offers these."""
    required: bool = False
    longest: int = 255
    tidy: Callable[[str], str] = str.strip


class RowsWidget(forms.Widget):
    """Rows of controls, which a script adds and takes away (frontend/agent/rows.js)."""

    template_name = "builder/_rows.html"
    use_fieldset = True
    is_whole = True
    """Drawn at once, not an option at a time."""

    def __init__(self, columns: Sequence[Column], adds: str) -> None:
        super().__init__()
        self.columns = list(columns)
        self.adds = adds

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[Row]:
        listed = data.getlist if hasattr(data, "getlist") else lambda key: data.get(key, [])
        columns = [listed(f"{name}.{column.name}") for column in self.columns]
        return [
            {column.name: str(value) for column, value in zip(self.columns, values, strict=True)}
            for values in zip(*columns, strict=False)
        ]

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return False

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context = super().get_context(name, None, attrs)
        empty = {column.name: column.choices[0][0] if column.choices else "" for column in self.columns}
        context |= {
            "rows": [self._controls(name, row) for row in value or []],
            "blank": self._controls(name, empty),
            "adds": self.adds,
        }
        return context

    def _controls(self, name: str, row: Row) -> list[dict[str, Any]]:
        return [
            {"column": column, "name": f"{name}.{column.name}", "value": row.get(column.name, "")}
            for column in self.columns
        ]


class RowsField(forms.Field):
    """A list of rows: dicts of text by the columns' names."""

    widget: RowsWidget

    def __init__(self, columns: Sequence[Column], *, adds: str, most: int, **options: Any) -> None:
        super().__init__(required=False, widget=RowsWidget(columns, adds), **options)
        self._most = most

    def offer(self, column: str, choices: Sequence[tuple[str, str]]) -> None:
        """Have the select of a column offer these."""
        self.widget.columns = [
            Column(**{**vars(known), "choices": choices}) if known.name == column else known
            for known in self.widget.columns
        ]

    def prepare_value(self, value: Any) -> Any:
        return [{column.name: _typed(row.get(column.name)) for column in self.widget.columns} for row in value or []]

    def clean(self, value: list[Row]) -> list[Row]:
        written = [column.name for column in self.widget.columns if not column.choices]
        if any(column.required and not column.choices for column in self.widget.columns):
            value = [row for row in value if any(row[name].strip() for name in written)]
        if len(value) > self._most:
            raise forms.ValidationError(f"At most {self._most} are possible.")
        return [self._row(number, row) for number, row in enumerate(value, 1)]

    def _row(self, number: int, row: Row) -> Row:
        clean: Row = {}
        for column in self.widget.columns:
            try:
                clean[column.name] = column.tidy(row[column.name])
            except ValueError as error:
                raise forms.ValidationError(f"Row {number}: {error}") from None
            if column.required and not clean[column.name]:
                raise forms.ValidationError(f"Row {number}: {column.label} is missing.")
            if len(clean[column.name]) > column.longest:
                raise forms.ValidationError(f"Row {number}: {column.label} is longer than {column.longest} letters.")
            if column.choices and clean[column.name] not in dict(column.choices):
                raise forms.ValidationError(f"Row {number}: choose another {column.label.lower()}.")
        return clean

    def words(self, value: Any, say: Callable[[str, str], str] = lambda column, text: text) -> str:
        """Rows in words, a line each. `say` may put a column's text in words of its own."""
        return "\n".join(
            " · ".join(filter(None, (say(column.name, _word(column, row)) for column in self.widget.columns)))
            for row in self.prepare_value(value)
        )


def _word(column: Column, row: Row) -> str:
    return dict(column.choices).get(row[column.name], row[column.name])


def _typed(value: Any) -> str:
    """As a control has it."""
    return ("yes" if value else "") if isinstance(value, bool) else str(value or "")


def tidy_name(typed: str) -> str:
    """A name as a language model can call it: "Front desk" becomes "Front_desk"."""
    name = re.sub(r"\W+", "_", typed.strip(), flags=re.ASCII).strip("_")
    if typed.strip() and not re.match("[A-Za-z]", name):
        raise ValueError("the name has to begin with a letter from A to Z.")
    return name


def bare(typed: str) -> str:
    """The name of a variable, also when it was typed as `{{name}}`."""
    return typed.strip().removeprefix("{{").removesuffix("}}").strip()


def tidy_variable(typed: str) -> str:
    """The name of a variable that can be set. Raises ValueError."""
    name = bare(typed)
    if name:
        require_name(name)
    return name


def tidy_transfer(typed: str) -> str:
    """A phone number, a SIP address, or a `{{variable}}` that holds one. Raises ValueError."""
    to = tidy_number(typed)
    if to and not (NUMBER.fullmatch(to) or to.lower().startswith(("sip:", "sips:")) or names_in(to)):
        raise ValueError(
            f"“{to[:30]}” is no phone number like +1 415 555 0100, and no address like sip:desk@example.org."
        )
    return to
