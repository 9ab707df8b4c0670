"""What the same usage would have cost with other models: quantities that were measured, times other prices.

Another model would have used other quantities (its tokens are other tokens, and it says other things): this is what the
prices alone change.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from billing.costs import COMPONENTS, PriceOf
from billing.list_prices import ANY, LIST_PRICES, VENDORS
from billing.reports.selectors import ComponentUse
from billing.selectors import LOCAL, Key
from billing.units import INSTEAD, MILLION

Role = Literal["stt", "llm", "tts"]
Model = tuple[str, str]
"""Vendor and model."""

NEEDS: Mapping[Role, tuple[str, ...]] = {
    "stt": ("stt_second",),
    "llm": ("llm_input_token", "llm_output_token"),
    "tts": ("tts_character",),
}
"""The units in which a model of each role has to have a price."""

COMPONENT_LABELS: Mapping[str, str] = {
    "agent": "Agent",
    "telephony": "Telephony",
    **{str(component): label for component, label in COMPONENTS.items()},
}

# Meters that count a part of the unit that prices are for.
_SCALES = {"stt_ms": ("stt_second", 1000)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Repriced:
    """The usage of one component: what it cost, and what it would have cost. `then` is None without a price."""

    component: str
    label: str
    now: int
    then: int | None

    @property
    def change(self) -> int | None:
        return None if self.then is None else self.then - self.now


def choices(own: Iterable[Key]) -> dict[Role, list[Model]]:
    """The models with a price, those of this machine first: listed ones, and the workspace's `own`."""
    priced = {(each.vendor, each.model, each.unit) for each in LIST_PRICES} | set(own)
    models = sorted({(vendor, model) for vendor, model, _ in priced})
    return {
        role: [(LOCAL, ""), *(model for model in models if all((*model, unit) in priced for unit in units))]
        for role, units in NEEDS.items()
    }


def model_label(model: Model) -> str:
    vendor, name = model
    if vendor == LOCAL:
        return "On this machine"
    return f"{VENDORS.get(vendor, vendor)} · {'every other' if name == ANY else name}"


def repriced(uses: Iterable[ComponentUse], chosen: Mapping[Role, Model], price_of: PriceOf) -> list[Repriced]:
    """Every component that was used, with the models that are `chosen` for some roles; the others stay as they are."""
    now: dict[str, int] = {}
    then: dict[str, int | None] = {}
    for use in uses:
        now[use.capability] = now.get(use.capability, 0) + use.amount
        before = then.get(use.capability, 0)
        model = chosen.get(use.capability)  # type: ignore[call-overload]
        cost = use.amount if model is None else amount(use.meter, use.quantity, model, price_of)
        then[use.capability] = None if before is None or cost is None else before + cost
    order = [*COMPONENT_LABELS, *(component for component in now if component not in COMPONENT_LABELS)]
    return [
        Repriced(component=each, label=COMPONENT_LABELS.get(each, each), now=now[each], then=then[each])
        for each in order
        if each in now
    ]


def amount(meter: str, quantity: int, model: Model, price_of: PriceOf) -> int | None:
    """What so much of a meter costs with a model, in micro-dollars, rounded half up; None without a price."""
    unit, scale = _SCALES.get(meter, (meter, 1))
    price = price_of(*model, unit)
    if price is None and unit in INSTEAD:
        price = price_of(*model, INSTEAD[unit])
    return None if price is None else int(Fraction(quantity * price, MILLION * scale) + Fraction(1, 2))
