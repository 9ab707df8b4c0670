"""A part of the agent page: the controls under one title."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from django import forms


class Part(forms.Form):
    """`PATHS` says which setting of AgentConfig each control sets, in the order of the page."""

    TITLE: ClassVar[str]
    PATHS: ClassVar[Mapping[str, str]] = {}


class Advanced(Part):
    """Folded away; `HINT` says below the title what it is about."""

    HINT: ClassVar[str]
