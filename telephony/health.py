"""How the installation is, for the pill in the corner: what still loads, what is wrong, how many calls are live."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from accounts.models import Organization
from builder import engine
from telephony.models import Call

if TYPE_CHECKING:
    from voice.providers.local import Component, ModelsStatus

State = Literal["ok", "loading", "problem"]

# The models' process has this long to open its socket before its silence is a problem.
STARTING_SECONDS = 30.0
_BORN = time.monotonic()

STATES = {
    "waiting": "Waiting",
    "downloading": "Downloading",
    "loading": "Loading",
    "ready": "Ready",
    "failed": "Failed",
    "off": "Off",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One model. `percent` is None where there is no download to measure; `detail` says how far, or what is wrong."""

    name: str
    label: str
    state: str
    state_label: str
    percent: int | None
    detail: str

    @property
    def busy(self) -> bool:
        return self.state in ("waiting", "downloading", "loading")


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """`text` is the pill's; `advice` says what it means, in a sentence."""

    state: State
    text: str
    advice: str
    live_calls: int
    parts: list[Part]


def health(organization: Organization) -> Health:
    """How the installation is for this workspace. Waits for the models' process at most as long as its client does."""
    return describe(engine.models_status(), live_calls(organization))


def live_calls(organization: Organization) -> int:
    return Call.objects.filter(organization=organization, state=Call.State.LIVE).count()


def describe(models: ModelsStatus, live: int) -> Health:
    """What `models` means for people."""
    state, text, advice = _verdict(models)
    if state == "ok" and live:
        text = f"{text} · {live} live call{'s' if live > 1 else ''}"
    return Health(
        state=state, text=text, advice=advice, live_calls=live, parts=[_part(part) for part in models.components]
    )


def _verdict(models: ModelsStatus) -> tuple[State, str, str]:
    if not models.connected:
        if time.monotonic() - _BORN < STARTING_SECONDS:
            return "loading", "starting the models", "The speech models are being started."
        return (
            "problem",
            "models not running",
            "The process with the speech models does not answer. Restart the server; its terminal says why it stopped.",
        )
    failed = [part for part in models.components if part.state == "failed"]
    if failed and not models.can_talk:
        return "problem", f"{failed[0].label} failed", failed[0].message or "No agent can talk until this is mended."
    loading = [part for part in models.components if part.state in ("waiting", "downloading", "loading")]
    if loading:
        talk = "Agents can already talk" if models.can_talk else "Agents can talk when the speech models are there"
        return "loading", f"loading models{_progress(loading)}", f"{talk}. Downloads go on where they stopped."
    if failed:
        return "problem", f"{failed[0].label} failed", failed[0].message or "Agents can talk, but not as well."
    return "ok", "healthy", "Everything that a call needs is ready."


def _progress(loading: list[Component]) -> str:
    total = sum(part.total for part in loading)
    return f" · {100 * sum(part.done for part in loading) // total} %" if total else ""


def _part(part: Component) -> Part:
    percent = 100 * part.done // part.total if part.total and part.state == "downloading" else None
    detail = part.message
    if part.state == "downloading" and part.total:
        detail = f"{_megabytes(part.done)} of {_megabytes(part.total)} MB"
        if part.speed > 0:
            detail += f", {part.speed / 1e6:.1f} MB/s"
    return Part(
        name=part.name,
        label=part.label,
        state=part.state,
        state_label=STATES.get(part.state, part.state),
        percent=percent,
        detail=detail,
    )


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.0f}"
