"""Documents that people bring along, in JSON or YAML, as plain JSON data."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import yaml

LONGEST = 5_000_000
"""Characters of a document."""
MOST_PARTS = 500_000
"""Values and containers in it. A short YAML text can stand for billions by naming its parts again and again."""
DEEPEST = 100


class NotUnderstood(ValueError):
    """What was brought cannot be read; the text says why and, where it can, in which line."""


class _Loader(yaml.CSafeLoader):
    """Takes `on`, `yes` and dates for text, as YAML 1.2 does."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in known if not tag.endswith((":timestamp", ":bool"))]
    for first, known in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|false|False)$"), list("tTfF"))


def read(text: str) -> Any:
    """The data of a JSON or YAML document. Raises NotUnderstood."""
    text = text.removeprefix("\ufeff").strip()
    if not text:
        raise NotUnderstood("There is nothing in it.")
    if len(text) > LONGEST:
        raise NotUnderstood(f"It is too long: {len(text):,} characters, and {LONGEST:,} are possible.")
    return _Plain().of(_json(text) if text[0] in "{[" else _yaml(text))


def _json(text: str) -> Any:
    """YAML looks like this too, but then JSON's message is seldom the one that helps."""
    try:
        return json.loads(text)
    except RecursionError:
        raise NotUnderstood("It is nested too deeply.") from None
    except ValueError as error:
        try:
            return _yaml(text)
        except NotUnderstood:
            raise NotUnderstood(f"It is no JSON: {error}.") from None


def _yaml(text: str) -> Any:
    try:
        return yaml.load(text, _Loader)  # noqa: S506  (a safe loader)
    except yaml.MarkedYAMLError as error:
        where = f" in line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise NotUnderstood(f"It is no YAML{where}: {error.problem}.") from None
    except (yaml.YAMLError, RecursionError, ValueError, TypeError) as error:
        raise NotUnderstood(f"It is neither JSON nor YAML: {error}.") from None


class _Plain:
    """Copies what a loader made to what JSON knows, and stops when there is too much of it."""

    def __init__(self) -> None:
        self._left = MOST_PARTS

    def of(self, value: Any, depth: int = 0) -> Any:
        self._left -= 1
        if self._left < 0:
            raise NotUnderstood(f"It has too many parts; {MOST_PARTS:,} are possible.")
        if depth > DEEPEST:
            raise NotUnderstood("It is nested too deeply.")
        if isinstance(value, dict):
            return {str(name): self.of(each, depth + 1) for name, each in value.items()}
        if isinstance(value, list | tuple | set):
            return [self.of(each, depth + 1) for each in value]
        if isinstance(value, float) and not math.isfinite(value):
            raise NotUnderstood("It holds a number that is none.")
        if value is None or isinstance(value, bool | int | float | str):
            return value
        return str(value)
