"""A problem, and where it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from builder.controls import AgentControls
from builder.references import Place

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A sentence on what is wrong, and one on what mends it. `place` is where it stands in the config."""

    severity: Severity
    message: str
    mend: str
    place: Place = ()
    step: str = ""
    """The id of the step of the flow that has it."""

    @property
    def text(self) -> str:
        """All of it in one line."""
        return f"{self.message} {self.mend}".strip()

    @property
    def path(self) -> str:
        """The place as YAML and the API name it: "voice.fallbacks.0.connection"."""
        return ".".join(map(str, self.place))

    @property
    def control(self) -> str:
        """The control of the agent's page that sets it; "" where that is a step, or nothing on this page."""
        if self.step:
            return ""
        above = (".".join(map(str, self.place[:end])) for end in range(len(self.place), 0, -1))
        return next((_CONTROLS[path] for path in above if path in _CONTROLS), "")

    def as_dict(self) -> dict[str, str]:
        """For scripts and the API."""
        return {
            "severity": self.severity,
            "message": self.message,
            "mend": self.mend,
            "path": self.path,
            "control": self.control,
            "step": self.step,
        }


_CONTROLS = {path: name for name, path in AgentControls.PATHS.items()}


def error(message: str, mend: str, *place: str | int, step: str = "") -> Problem:
    return Problem(severity="error", message=message, mend=mend, place=place, step=step)


def warning(message: str, mend: str, *place: str | int, step: str = "") -> Problem:
    return Problem(severity="warning", message=message, mend=mend, place=place, step=step)
