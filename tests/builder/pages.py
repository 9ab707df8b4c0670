"""Addresses of agents' pages, and what the page of one would send."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from builder.fields import RowsField
from builder.forms import AgentForm
from builder.models import Agent


def address(name: str, agent: Agent, **more: str) -> str:
    return reverse(name, kwargs={"workspace": agent.organization.slug, "agent_id": agent.pk, **more})


def page_data(agent: Agent, **changes: Any) -> dict[str, Any]:
    """The controls of the page of `agent`, with `changes`; one that is None, or ticks nothing, is left out."""
    form = AgentForm(organization=agent.organization, agent=agent)
    data = {name: form[name].value() for name in form.fields}
    for name, field in form.fields.items():
        if isinstance(field, RowsField):
            rows = data.pop(name)
            data |= {f"{name}.{column.name}": [row[column.name] for row in rows] for column in field.widget.columns}
    data["knowledge"] = list(data["knowledge"]) or None  # unticked boxes send nothing
    data |= {name: "on" if value else None for name, value in data.items() if isinstance(value, bool)}
    return {name: value for name, value in {**data, **changes}.items() if value not in (None, ())}


def html(response: Any) -> str:
    """The page, with every run of white space as one space."""
    content: bytes = response.content
    return " ".join(content.decode().split())
