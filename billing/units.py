"""What providers charge for, and how people read its price."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

MILLION = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """Prices are stored in micro-dollars per million of it, and shown per `per` of it."""

    id: str
    label: str
    per: int
    per_label: str

    def shown(self, micro_per_million: int) -> int:
        """A price as it is shown, in micro-dollars."""
        return _rounded(micro_per_million * self.per, MILLION)

    def stored(self, shown: int) -> int:
        """A shown price as it is stored."""
        return _rounded(shown * MILLION, self.per)


def _rounded(amount: int, by: int) -> int:
    return (2 * amount + by) // (2 * by)


UNITS: Mapping[str, Unit] = {
    unit.id: unit
    for unit in (
        Unit(id="llm_input_token", label="Text in", per=MILLION, per_label="1M tokens"),
        Unit(id="llm_cached_token", label="Text in, cached", per=MILLION, per_label="1M tokens"),
        Unit(id="llm_output_token", label="Text out", per=MILLION, per_label="1M tokens"),
        Unit(id="audio_input_token", label="Audio in", per=MILLION, per_label="1M tokens"),
        Unit(id="audio_cached_token", label="Audio in, cached", per=MILLION, per_label="1M tokens"),
        Unit(id="audio_output_token", label="Audio out", per=MILLION, per_label="1M tokens"),
        Unit(id="stt_second", label="Speech recognised", per=60, per_label="minute"),
        Unit(id="tts_character", label="Speech made", per=1000, per_label="1,000 characters"),
    )
}

INSTEAD: Mapping[str, str] = {"llm_cached_token": "llm_input_token", "audio_cached_token": "audio_input_token"}
"""What has no price of its own is priced as the other."""
