"""Tools and secrets of a workspace."""

from __future__ import annotations

from typing import Any, Protocol

import pytest

from accounts.models import Organization
from builder.models import Secret, Tool
from builder.tools.kinds import CONFIGS

SHOP: dict[str, Any] = {
    "method": "GET",
    "url": "https://shop.example.org/orders/{number}",
    "parameters": [{"name": "number", "where": "path", "required": True, "description": "On the receipt"}],
    "headers": [{"name": "X-Key", "value": "{{secret__shop_key}}"}],
}


class ToolFactory(Protocol):
    def __call__(
        self, name: str = ..., *, kind: str = ..., organization: Organization | None = ..., **config: Any
    ) -> Tool: ...


class SecretFactory(Protocol):
    def __call__(self, name: str = ..., value: str = ..., *, organization: Organization | None = ...) -> Secret: ...


@pytest.fixture
def tool_factory(workspace: Organization) -> ToolFactory:
    """Makes tools, by default one that asks a shop for an order."""

    def make(
        name: str = "find_order", *, kind: str = "http", organization: Organization | None = None, **config: Any
    ) -> Tool:
        parsed = CONFIGS[kind].model_validate(config or SHOP)
        return Tool.objects.create(
            organization=organization or workspace,
            kind=kind,
            name=name,
            description="Finds an order.",
            config=parsed.model_dump(mode="json"),
        )

    return make


@pytest.fixture
def secret_factory(workspace: Organization) -> SecretFactory:
    def make(
        name: str = "shop_key", value: str = "sk-very-secret", *, organization: Organization | None = None
    ) -> Secret:
        return Secret.objects.create(organization=organization or workspace, name=name, value=value)

    return make
