"""The vendors that a workspace can have an account with, and what they do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING, Self, cast

from voice.providers import catalogue
from voice.providers.vendor import Role, Vendor

if TYPE_CHECKING:
    from builder.models import ModelConnection

COMPATIBLE = "compatible"
"""Whatever speaks OpenAI's protocols at an address of its own."""

ROLES: Mapping[Role, str] = {
    "stt": "Speech recognition",
    "tts": "Voices",
    "llm": "Language models",
    "realtime": "Speech to speech",
    "agent": "Agents in code",
    "sms": "Text messages",
}


@dataclass(frozen=True, slots=True)
class Access:
    """An account with a vendor: equal ones share their adapters. `name` is what events and messages call it, `number`
    which account it is where the key does not say that."""

    vendor: str
    name: str
    base_url: str
    api_key: str = field(repr=False)
    number: str = ""

    @classmethod
    def by(cls, connection: ModelConnection) -> Self:
        return cls(
            connection.vendor, connection.name, connection.address, connection.api_key, connection.account_number
        )


@cache
def vendors() -> Mapping[str, Vendor]:
    """Every vendor by its id, in the order in which they are shown."""
    return {each.id: each for each in [*catalogue.vendors(), _compatible()]}


def _compatible() -> Vendor:
    return replace(
        catalogue.vendor("openai"),
        id=COMPATIBLE,
        label="OpenAI-compatible service",
        base_url="",
        key_hint="whoever runs the service; those on your own machine often need none",
        models={},
        voices=(),
        needs_key=False,
    )


def vendor(vendor_id: str) -> Vendor:
    """The vendor with this id. Raises KeyError."""
    return vendors()[vendor_id]


def has_role(vendor_id: str, role: Role) -> bool:
    return vendor_id in vendors() and getattr(vendor(vendor_id), role, None) is not None


def roles(vendor_id: str) -> list[Role]:
    """What a vendor does; nothing where this version does not know the vendor (any more)."""
    return [role for role in ROLES if has_role(vendor_id, role)]


def models(vendor_id: str, role: str) -> tuple[str, ...]:
    """The known models of a role, the default first."""
    return vendor(vendor_id).models.get(cast("Role", role), ()) if vendor_id in vendors() else ()


ANSWERS: tuple[Role, ...] = ("llm", "realtime", "agent")
"""Who can decide on an agent's words."""


def answers(vendor_id: str, model: str) -> Role:
    """In which of those roles `model` of a vendor answers."""
    if has_role(vendor_id, "agent"):
        return "agent"
    if model in models(vendor_id, "realtime") or not has_role(vendor_id, "llm"):
        return "realtime"
    return "llm"


def label(vendor_id: str) -> str:
    """A vendor's name for people; the id itself when it is no longer known."""
    return vendor(vendor_id).label if vendor_id in vendors() else vendor_id
