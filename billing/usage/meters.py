"""What is measured, in which smallest unit, and the fixed rates: credits for models. Other rates come with a plan or
from the table of prices.

Credits are those of Cartesia's price page as of August 2026: agents never consume them; the models' own API does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

AGENT_SECONDS = "agent_seconds"
TELEPHONY_SECONDS = "telephony_seconds"

Basis = Literal["plan", "credits", "price"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """`basis` is where its rate comes from. Of `credits` meters, `rate` credits are charged per `per` units."""

    id: str
    label: str
    unit: str
    basis: Basis
    rate: int = 0
    per: int = 1


METERS: Mapping[str, Meter] = {
    meter.id: meter
    for meter in (
        Meter(id=AGENT_SECONDS, label="Agent time", unit="second", basis="plan"),
        Meter(id=TELEPHONY_SECONDS, label="Telephony", unit="second", basis="plan"),
        Meter(id="tts_characters", label="Speech made", unit="character", basis="credits", rate=1),
        Meter(
            id="tts_pro_characters",
            label="Speech of a professional clone",
            unit="character",
            basis="credits",
            rate=3,
            per=2,
        ),
        Meter(id="infill_requests", label="Infill", unit="request", basis="credits", rate=300),
        Meter(id="infill_characters", label="Infill text", unit="character", basis="credits", rate=1),
        Meter(
            id="stt_stream_ms", label="Speech recognised live", unit="millisecond", basis="credits", rate=3, per=1000
        ),
        Meter(
            id="stt_whisper_ms",
            label="Speech recognised live, Ink Whisper",
            unit="millisecond",
            basis="credits",
            rate=1,
            per=1000,
        ),
        Meter(id="stt_batch_ms", label="Recordings recognised", unit="millisecond", basis="credits", rate=1, per=2000),
        Meter(id="voice_changer_ms", label="Voice changed", unit="millisecond", basis="credits", rate=15, per=1000),
        Meter(
            id="pro_clone_trainings",
            label="Professional clone trained",
            unit="training",
            basis="credits",
            rate=1_000_000,
        ),
        Meter(id="llm_input_token", label="Text in", unit="token", basis="price"),
        Meter(id="llm_cached_token", label="Text in, cached", unit="token", basis="price"),
        Meter(id="llm_output_token", label="Text out", unit="token", basis="price"),
        Meter(id="audio_input_token", label="Audio in", unit="token", basis="price"),
        Meter(id="audio_cached_token", label="Audio in, cached", unit="token", basis="price"),
        Meter(id="audio_output_token", label="Audio out", unit="token", basis="price"),
        Meter(id="stt_ms", label="Speech recognised", unit="millisecond", basis="price"),
        Meter(id="tts_character", label="Speech made by a provider", unit="character", basis="price"),
    )
}
"""By id. Those with basis `price` are named as in `billing.units.UNITS`; only `stt_ms` is a thousandth of its unit."""
