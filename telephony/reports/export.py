"""The sums of usage as CSV, row by row."""

from __future__ import annotations

import csv
from collections.abc import AsyncIterator, Iterable
from io import StringIO
from typing import Any

from django.db.models import QuerySet

from accounts.models import Organization
from billing.reports.models import ComponentDay, UsageDay
from billing.reports.windows import Window
from builder.models import Agent, AgentVersion
from core.money import format_micro

ROWS_AT_ONCE = 500

CALLS = ("day", "agent_id", "agent", "version", "number", "direction", "calls", "seconds")
CALLS_MONEY = ("platform_usd", "providers_usd", "credits")
COMPONENTS = ("day", "agent_id", "agent", "capability", "meter", "vendor", "model", "voice", "paid_by", "quantity")
COMPONENTS_MONEY = ("cost_usd", "credits")


def calls_csv(organization: Organization, window: Window, *, agent_id: str = "") -> AsyncIterator[bytes]:
    """One row for each day, agent, version, number and direction."""
    versions: dict[str, str] = {}

    def cells(row: UsageDay, agents: dict[str, str]) -> list[Any]:
        version = versions.get(row.version_id, row.version_id)
        money = (dollars(row.platform), dollars(row.passed_on + row.own), row.credits)
        told = (row.number, row.direction, row.calls, row.seconds)
        return [row.day, row.agent_id, agents.get(row.agent_id, ""), version, *told, *money]

    async def rows() -> AsyncIterator[bytes]:
        known = AgentVersion.objects.filter(agent__organization=organization)
        versions.update({version.pk: version.label async for version in known.only("pk", "number").aiterator()})
        found = _within(UsageDay.objects, organization, window, agent_id)
        async for piece in _written((*CALLS, *CALLS_MONEY), found, cells, organization):
            yield piece

    return rows()


def components_csv(organization: Organization, window: Window, *, agent_id: str = "") -> AsyncIterator[bytes]:
    """One row for each day, agent and component."""

    def cells(row: ComponentDay, agents: dict[str, str]) -> list[Any]:
        payer = "own account" if row.own_key else "platform"
        told = (row.capability, row.meter, row.vendor, row.model, row.voice, payer, row.quantity)
        money = ("" if row.unpriced else dollars(row.amount), row.credits)
        return [row.day, row.agent_id, agents.get(row.agent_id, ""), *told, *money]

    found = _within(ComponentDay.objects, organization, window, agent_id)
    return _written((*COMPONENTS, *COMPONENTS_MONEY), found, cells, organization)


def _within(rows: Any, organization: Organization, window: Window, agent_id: str) -> QuerySet[Any]:
    found = rows.filter(organization=organization, day__gte=window.start, day__lt=window.end).order_by("day", "pk")
    return found.filter(agent_id=agent_id) if agent_id else found


async def _written(
    head: Iterable[str], rows: QuerySet[Any], cells: Any, organization: Organization
) -> AsyncIterator[bytes]:
    agents = {agent.pk: agent.name async for agent in Agent.objects.filter(organization=organization).aiterator()}
    lines = _Lines()
    lines.add(head)
    async for row in rows.aiterator(chunk_size=ROWS_AT_ONCE):
        lines.add(cells(row, agents))
        if lines.count >= ROWS_AT_ONCE:
            yield lines.taken()
    yield lines.taken()


class _Lines:
    """Lines of CSV that are yet to be sent."""

    def __init__(self) -> None:
        self._text = StringIO()
        self._writer = csv.writer(self._text)
        self.count = 0

    def add(self, cells: Iterable[Any]) -> None:
        self._writer.writerow([_safe(cell) for cell in cells])
        self.count += 1

    def taken(self) -> bytes:
        text = self._text.getvalue()
        self._text.seek(0)
        self._text.truncate()
        self.count = 0
        return text.encode()


def _safe(cell: Any) -> Any:
    """Spreadsheets take text that begins so for a formula, and anybody may name an agent."""
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell


def dollars(micro: int) -> str:
    """Micro-dollars as a plain number: 740000 is "0.740000"."""
    return format_micro(micro, places=6).replace("$", "").replace(",", "")
