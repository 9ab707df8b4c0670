"""What the page of usage shows: the days, and the same sums by one thing that calls are told apart by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.dateformat import format as written

from accounts.models import Organization
from billing.list_prices import VENDORS
from billing.reports.selectors import NOTHING, ComponentUse, Usage, component_use, usage_by, usage_by_time
from billing.reports.whatif import COMPONENT_LABELS
from billing.reports.windows import Interval, Window
from billing.usage.meters import METERS
from builder.models import Agent, AgentVersion

GROUPS: Mapping[str, str] = {
    "agent": "Agent",
    "version": "Version",
    "number": "Number",
    "direction": "Direction",
    "capability": "Capability",
}
"""What the sums can be parted by."""

DIRECTIONS: Mapping[str, str] = {"web": "Browser", "inbound": "Inbound", "outbound": "Outbound"}

MOST_DAYS = timedelta(days=92)
"""A longer window is shown by month."""

# The date formats of Django for `datetime` and `label`.
_WRITTEN = {Interval.DAY: ("Y-m-d", "D j M"), Interval.MONTH: ("Y-m", "F Y")}

_FIELDS = {"agent": "agent_id", "version": "version_id", "number": "number", "direction": "direction"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeRow:
    """A day or a month. `datetime` is what machines read: "2026-11-03", or "2026-11"."""

    label: str
    datetime: str
    usage: Usage
    calls_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupRow:
    """The calls of one agent, version, number or direction. `share` is how much of the cost is theirs, in percent."""

    label: str
    detail: str
    usage: Usage
    share: float
    calls_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentRow:
    """What was used of one component."""

    label: str
    detail: str
    amount: str
    use: ComponentUse
    share: float
    calls_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UsagePage:
    interval: Interval
    times: list[TimeRow]
    total: Usage
    groups: list[GroupRow]
    components: list[ComponentRow]


class CallLinks:
    """The calls behind a number, as addresses of the list of calls."""

    def __init__(self, organization: Organization, *, agent_id: str = "") -> None:
        self._base = reverse("calls", args=[organization.slug])
        self._agent = {"agent": agent_id} if agent_id else {}

    def __call__(self, window: Window, **filters: str) -> str:
        since = {"since": window.starts_at.isoformat(), "until": window.ends_at.isoformat()}
        return f"{self._base}?{urlencode({**since, **self._agent, **filters})}"


def usage_page(organization: Organization, window: Window, *, by: str, agent_id: str = "") -> UsagePage:
    """Every day of the window (of a long one: every month), and the sums parted `by` a key of GROUPS."""
    links = CallLinks(organization, agent_id=agent_id)
    groups: list[GroupRow] = []
    components: list[ComponentRow] = []
    if by == "capability":
        components = _components(organization, window, agent_id, links)
    else:
        parted = usage_by(_FIELDS[by], organization, window, agent_id=agent_id)
        groups = _groups(organization, window, by, parted, links)
    interval = Interval.DAY if window.length <= MOST_DAYS else Interval.MONTH
    machine, human = _WRITTEN[interval]
    times = usage_by_time(organization, window, interval, agent_id=agent_id)
    return UsagePage(
        interval=interval,
        times=[
            TimeRow(
                label=written(part.start, human),
                datetime=written(part.start, machine),
                usage=usage,
                calls_url=links(part) if usage.calls else "",
            )
            for part, usage in times
        ],
        total=sum((usage for _, usage in times), NOTHING),
        groups=groups,
        components=components,
    )


def _groups(
    organization: Organization, window: Window, by: str, parted: Mapping[str, Usage], links: CallLinks
) -> list[GroupRow]:
    names = labels(organization, by, parted)
    total = sum(usage.total for usage in parted.values())
    rows = [
        GroupRow(
            label=names.get(value, (value or "none", ""))[0],
            detail=names.get(value, ("", ""))[1],
            usage=usage,
            share=100 * usage.total / total if total else 0.0,
            calls_url=links(window, **{by: value}) if value else "",
        )
        for value, usage in parted.items()
    ]
    return sorted(rows, key=lambda row: (-row.usage.total, -row.usage.calls, row.label))


def labels(organization: Organization, by: str, values: Mapping[str, object]) -> dict[str, tuple[str, str]]:
    """What people call values of a group: a name, and what tells it from others of the same name."""
    if by == "agent":
        agents = Agent.objects.filter(organization=organization, pk__in=values)
        return {agent.pk: (agent.name, "deleted" if agent.deleted_at else "") for agent in agents}
    if by == "version":
        versions = AgentVersion.objects.filter(agent__organization=organization, pk__in=values).select_related("agent")
        return {version.pk: (f"{version.agent.name} {version.label}", version.note) for version in versions}
    if by == "direction":
        return {value: (label, "") for value, label in DIRECTIONS.items()}
    return {}


def _components(organization: Organization, window: Window, agent_id: str, links: CallLinks) -> list[ComponentRow]:
    found = component_use(organization, window, agent_id=agent_id)
    total = sum(use.amount for use in found)
    return [
        ComponentRow(
            label=f"{COMPONENT_LABELS.get(use.capability, use.capability)}: {METERS[use.meter].label.lower()}",
            detail=" · ".join(filter(None, (VENDORS.get(use.vendor, use.vendor), use.model))),
            amount=quantity_in_words(use.meter, use.quantity),
            use=use,
            share=100 * use.amount / total if total else 0.0,
            calls_url=links(
                window, **{name: value for name in ("capability", "vendor", "model") if (value := getattr(use, name))}
            ),
        )
        for use in found
    ]


def quantity_in_words(meter: str, quantity: int) -> str:
    """ "1,250 tokens"; times as minutes: "12.5 min"."""
    unit = METERS[meter].unit
    seconds = {"second": 1.0, "millisecond": 0.001}.get(unit)
    if seconds is not None:
        return f"{quantity * seconds / 60:,.1f} min"
    return f"{quantity:,} {unit}{'' if quantity == 1 else 's'}"
