"""What a program is told of a call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, kw_only=True)
class WebCall:
    """Who calls whom; addresses are phone numbers or SIP URIs. `metadata` is passed on as it is."""

    caller: str = ""
    called: str = ""
    direction: Literal["inbound", "outbound"] = "inbound"
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def described(self, call_id: str) -> dict[str, Any]:
        """The call as Vapi describes it to a custom language model."""
        return {
            "id": call_id,
            "type": f"{self.direction}PhoneCall",
            "customer": {"number": self.caller if self.direction == "inbound" else self.called},
            "phoneNumber": {"number": self.called if self.direction == "inbound" else self.caller},
        }
