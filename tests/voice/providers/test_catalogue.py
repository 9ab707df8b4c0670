"""Every vendor can be chosen, and makes what it says that it makes."""

from __future__ import annotations

from typing import Any

import pytest

from voice.providers.catalogue import VENDORS, vendor
from voice.providers.vendor import Account, Role, Vendor


@pytest.mark.parametrize("name", VENDORS)
async def test_a_vendor_makes_an_adapter_for_each_of_its_roles(name: str) -> None:
    known = vendor(name)
    assert known.id == name
    roles: tuple[Role, ...] = ("stt", "tts", "llm", "realtime", "agent")
    for role in roles:
        maker = _maker(known, role)
        assert (maker is not None) == bool(known.models.get(role))
        if maker is not None:
            made = maker(
                Account(base_url=known.base_url or "http://127.0.0.1:1", api_key="k", name="Ours"),
                known.models[role][0],
            )
            assert made.name == "Ours"
            await made.close()


def test_an_unknown_vendor_is_told() -> None:
    with pytest.raises(KeyError):
        vendor("nobody")


def _maker(known: Vendor, role: Role) -> Any:
    return getattr(known, role)
