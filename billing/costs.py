"""What the providers of a call cost: usage times price, in whole micro-dollars. Pure: it reads nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from billing.units import INSTEAD, MILLION, UNITS

Component = Literal["stt", "llm", "tts", "realtime"]

COMPONENTS: dict[Component, str] = {
    "stt": "Speech recognition",
    "llm": "Language model",
    "tts": "Voice",
    "realtime": "Speech to speech",
}
"""The parts of a call that cost something, in the order in which they are shown."""

PriceOf = Callable[[str, str, str], int | None]
"""The price of (vendor, model, unit) in micro-dollars per million, None where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Something that a provider did. `provider` is what the call's events call it; `quantity` counts `unit`s."""

    component: Component
    provider: str
    vendor: str
    model: str
    unit: str
    quantity: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class CostLine:
    """All usage of one kind. `price` (micro-dollars per million) and `micro` are None where there is no price."""

    component: Component
    provider: str
    model: str
    unit: str
    quantity: Fraction
    price: int | None
    micro: int | None

    @property
    def label(self) -> str:
        return UNITS[self.unit].label

    @property
    def per(self) -> str:
        """What the shown price is for."""
        return UNITS[self.unit].per_label

    @property
    def amount(self) -> str:
        """The quantity in words: "1,250 tokens", "95.5 s"."""
        if self.unit == "stt_second":
            return f"{float(self.quantity):,.1f} s"
        return f"{int(self.quantity):,} {'characters' if self.unit == 'tts_character' else 'tokens'}"

    @property
    def shown_price(self) -> int | None:
        return None if self.price is None else UNITS[self.unit].shown(self.price)


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """The lines of a call, by component. `total` leaves out what has no price, and `complete` says that nothing was."""

    lines: tuple[CostLine, ...]

    @property
    def total(self) -> int:
        return sum(line.micro or 0 for line in self.lines)

    @property
    def complete(self) -> bool:
        return all(line.micro is not None for line in self.lines)

    @property
    def components(self) -> list[tuple[str, list[CostLine], int]]:
        """Label, lines and sum of each component that was used."""
        found = []
        for component, label in COMPONENTS.items():
            if lines := [line for line in self.lines if line.component == component]:
                found.append((label, lines, sum(line.micro or 0 for line in lines)))
        return found


def costs(usages: Iterable[Usage], price_of: PriceOf) -> Costs:
    """What `usages` cost, those of one kind added up before anything is rounded."""
    sums: dict[tuple[Component, str, str, str, str], Fraction] = {}
    for usage in usages:
        key = (usage.component, usage.provider, usage.vendor, usage.model, usage.unit)
        sums[key] = sums.get(key, Fraction(0)) + usage.quantity
    lines = []
    for (component, provider, vendor, model, unit), quantity in sums.items():
        if not quantity:
            continue
        price = price_of(vendor, model, unit)
        if price is None and unit in INSTEAD:
            price = price_of(vendor, model, INSTEAD[unit])
        lines.append(
            CostLine(
                component=component,
                provider=provider,
                model=model,
                unit=unit,
                quantity=quantity,
                price=price,
                micro=None if price is None else _micro(quantity, price),
            )
        )
    return Costs(lines=tuple(lines))


def _micro(quantity: Fraction, price: int) -> int:
    """Rounded half up."""
    return int(quantity * price / MILLION + Fraction(1, 2))
