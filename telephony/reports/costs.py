"""What the page of costs shows: what minutes and calls cost, by how they ended, by agent, and with other models."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.db.models import Sum

from accounts.models import Organization
from billing.reports.selectors import NOTHING, Usage, component_use, rows_within, usage_by
from billing.reports.whatif import Model, Repriced, Role, choices, model_label, repriced
from billing.reports.windows import Window
from billing.selectors import price_book
from telephony.reports.models import OutcomeDay, OutcomeMonth
from telephony.reports.selectors import CallLinks, labels
from telephony.selectors import reason

ROLES: Mapping[Role, str] = {"stt": "Speech recognition", "llm": "Language model", "tts": "Voice"}


@dataclass(frozen=True, slots=True, kw_only=True)
class CostRow:
    """Calls with something in common, and what they cost. `tone` colours how they ended."""

    label: str
    tone: str
    calls: int
    seconds: int
    amount: int
    calls_url: str

    @property
    def per_call(self) -> int | None:
        return round(self.amount / self.calls) if self.calls else None

    @property
    def per_minute(self) -> int | None:
        return round(60 * self.amount / self.seconds) if self.seconds else None


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
    """The usage of some days at other models' prices."""

    rows: list[Repriced]
    seconds: int

    @property
    def now(self) -> int:
        return sum(row.now for row in self.rows)

    @property
    def then(self) -> int | None:
        """None where something chosen has no price for what was used."""
        amounts = [row.then for row in self.rows]
        return None if None in amounts else sum(amount for amount in amounts if amount is not None)

    @property
    def change(self) -> int | None:
        return None if self.then is None else self.then - self.now

    def _per_minute(self, amount: int | None) -> int | None:
        return round(60 * amount / self.seconds) if amount is not None and self.seconds else None

    @property
    def per_minute_now(self) -> int | None:
        return self._per_minute(self.now)

    @property
    def per_minute_then(self) -> int | None:
        return self._per_minute(self.then)


class WhatIfForm(forms.Form):
    """A model for each role; none leaves it as it was."""

    def __init__(self, data: Any, *, organization: Organization) -> None:
        super().__init__(data)
        self.book = price_book(organization)
        for role, models in choices(self.book.own).items():
            options = [(":".join(model), model_label(model)) for model in models]
            self.fields[role] = forms.ChoiceField(
                choices=[("", "As it was"), *options], required=False, label=ROLES[role]
            )

    @property
    def chosen(self) -> dict[Role, Model]:
        """By role. What is no known model is as if nothing was chosen."""
        self.is_valid()
        found: dict[Role, Model] = {}
        for role in ROLES:
            if value := self.cleaned_data.get(role):
                vendor, _, model = value.partition(":")
                found[role] = (vendor, model)
        return found


def outcomes(organization: Organization, window: Window, *, agent_id: str = "") -> list[CostRow]:
    """By how calls ended, the dearest first."""
    links = CallLinks(organization, agent_id=agent_id)
    sums: dict[str, list[int]] = {}
    for rows in rows_within(window, OutcomeDay, OutcomeMonth, organization=organization, agent_id=agent_id):
        for code, *more in rows.values_list("end_reason").annotate(Sum("calls"), Sum("seconds"), Sum("amount")):
            sums[code] = [one + other for one, other in zip(sums.get(code, (0, 0, 0)), more, strict=True)]
    return _dearest_first(
        CostRow(
            label=reason(code)[0],
            tone=reason(code)[1],
            calls=calls,
            seconds=seconds,
            amount=amount,
            calls_url=links(window, reason=code),
        )
        for code, (calls, seconds, amount) in sums.items()
    )


def agents(organization: Organization, window: Window, *, agent_id: str = "") -> tuple[list[CostRow], Usage]:
    """By agent, the dearest first, and all of them together."""
    found = usage_by("agent_id", organization, window, agent_id=agent_id)
    names = labels(organization, "agent", found)
    links = CallLinks(organization)
    rows = _dearest_first(
        CostRow(
            label=names.get(agent, (agent or "none", ""))[0],
            tone="",
            calls=usage.calls,
            seconds=usage.seconds,
            amount=usage.total,
            calls_url=links(window, agent=agent) if agent else "",
        )
        for agent, usage in found.items()
    )
    return rows, sum(found.values(), NOTHING)


def what_if(
    organization: Organization, window: Window, form: WhatIfForm, *, seconds: int, agent_id: str = ""
) -> WhatIf:
    used = component_use(organization, window, agent_id=agent_id)
    return WhatIf(rows=repriced(used, form.chosen, form.book.price_of), seconds=seconds)


def _dearest_first(rows: Iterable[CostRow]) -> list[CostRow]:
    return sorted(rows, key=lambda row: (-row.amount, -row.calls, row.label))
