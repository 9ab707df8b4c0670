"""The vendors' list prices, which a workspace may replace by those of its contract (Manage > Prices).

Each line names where the price stands and when it was taken down, or says that it is unchecked; prices change, so
correct a line with its source. Of plans with several prices it is the one without a commitment. Models that are charged
in a way that our events do not measure (gpt-4o-mini-tts: by tokens of sound) are left out: their usage has no price.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from billing.units import UNITS
from core.money import parse_micro

UNCHECKED = "from memory, not checked"
"""The source of prices that nobody has read at the vendor's lately."""
ANY = "*"
"""In place of a model: every model of the vendor that has no price of its own."""

VENDORS: Mapping[str, str] = {
    "openai": "OpenAI",
    "openai_responses": "OpenAI (Responses API)",
    "anthropic": "Anthropic",
    "google": "Google Gemini",
    "deepgram": "Deepgram",
    "elevenlabs": "ElevenLabs",
    "cartesia": "Cartesia",
    "pipecat": "Pipecat services",
    "compatible": "OpenAI-compatible service",
}
"""By the ids that connections have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPrice:
    vendor: str
    model: str
    unit: str
    micro_per_million: int
    source: str
    read: str
    """ISO date."""


def _prices(vendor: str, model: str, source: str, read: str, **dollars: str) -> Iterator[ListPrice]:
    """`dollars` are by unit, for as much of it as UNITS says."""
    for unit, amount in dollars.items():
        micro = UNITS[unit].stored(parse_micro(amount))
        yield ListPrice(vendor=vendor, model=model, unit=unit, micro_per_million=micro, source=source, read=read)


def _llm(
    vendors: tuple[str, ...], model: str, price_in: str, cached: str, price_out: str, source: str, read: str
) -> Iterator[ListPrice]:
    for vendor in vendors:
        yield from _prices(
            vendor,
            model,
            source,
            read,
            llm_input_token=price_in,
            llm_cached_token=cached,
            llm_output_token=price_out,
        )


def _realtime(model: str, text: tuple[str, str, str], audio: tuple[str, str, str]) -> Iterator[ListPrice]:
    source, read = f"developers.openai.com/api/docs/models/{model}", "2026-11-26"
    yield from _llm(("openai",), model, *text, source, read)
    price_in, cached, price_out = audio
    yield from _prices(
        "openai",
        model,
        source,
        read,
        audio_input_token=price_in,
        audio_cached_token=cached,
        audio_output_token=price_out,
    )


def _all() -> Iterator[ListPrice]:
    openai, both = "developers.openai.com/api/docs/pricing", ("openai", "openai_responses")
    yield from _llm(both, "gpt-5.4-mini", "0.75", "0.075", "4.50", openai, "2026-11-26")
    yield from _llm(both, "gpt-4.1-mini", "0.40", "0.10", "1.60", UNCHECKED, "2026-11-26")
    yield from _llm(both, "gpt-4.1", "2.00", "0.50", "8.00", UNCHECKED, "2026-11-26")
    yield from _llm(both, "gpt-4o-mini", "0.15", "0.075", "0.60", UNCHECKED, "2026-11-26")
    yield from _prices("openai", "gpt-4o-mini-transcribe", UNCHECKED, "2026-11-26", stt_second="0.003")
    yield from _prices("openai", "gpt-4o-transcribe", UNCHECKED, "2026-11-26", stt_second="0.006")
    yield from _prices("openai", "whisper-1", UNCHECKED, "2026-11-26", stt_second="0.006")
    yield from _prices("openai", "tts-1", UNCHECKED, "2026-11-26", tts_character="0.015")
    yield from _prices("openai", "tts-1-hd", UNCHECKED, "2026-11-26", tts_character="0.030")
    for model, text_out in (("gpt-realtime-2.1", "24.00"), ("gpt-realtime-2", "24.00"), ("gpt-realtime-1.5", "16.00")):
        yield from _realtime(model, ("4.00", "0.40", text_out), ("32.00", "0.40", "64.00"))
    yield from _realtime("gpt-realtime-2.1-mini", ("0.60", "0.06", "2.40"), ("10.00", "0.30", "20.00"))

    claude = "platform.claude.com/docs/en/about-claude/pricing"
    anthropic = ("anthropic",)
    yield from _llm(anthropic, "claude-haiku-5-5", "0.10", "0.01", "0.50", claude, "2026-11-26")
    yield from _llm(anthropic, "claude-sonnet-5-5", "2.00", "0.10", "10.00", claude, "2026-11-26")
    yield from _llm(anthropic, "claude-haiku-4-5", "1.00", "0.10", "5.00", claude, "2026-11-26")
    yield from _llm(anthropic, "claude-opus-5-5", "4.00", "0.20", "20.00", claude, "2026-11-26")

    gemini = "ai.google.dev/gemini-api/docs/pricing"
    google = ("google",)
    yield from _llm(google, "gemini-3.5-flash-lite", "0.30", "0.03", "2.50", gemini, "2026-10-07")
    yield from _llm(google, "gemini-3.6-flash", "1.50", "0.15", "7.50", UNCHECKED, "2026-10-07")
    yield from _llm(google, "gemini-3.8-flash", "0.75", "0.075", "3.75", gemini, "2026-10-07")
    yield from _llm(google, "gemini-2.5-flash", "0.30", "0.03", "2.50", UNCHECKED, "2026-10-07")

    deepgram = "deepgram.com/pricing"
    yield from _prices("deepgram", "nova-3", deepgram, "2026-08-01", stt_second="0.0048")
    yield from _prices("deepgram", "nova-2-phonecall", UNCHECKED, "2026-08-01", stt_second="0.0058")
    yield from _prices("deepgram", "flux-general-en", deepgram, "2026-08-01", stt_second="0.0065")
    yield from _prices("deepgram", "flux-general-multi", deepgram, "2026-08-01", stt_second="0.0078")
    yield from _prices("deepgram", "aura-2", UNCHECKED, "2026-08-01", tts_character="0.030")

    elevenlabs = "elevenlabs.io/pricing/api"
    for model, amount in (
        ("eleven_flash_v2_5", "0.05"),
        ("eleven_turbo_v2_5", "0.05"),
        ("eleven_multilingual_v2", "0.10"),
        ("eleven_v3", "0.10"),
    ):
        yield from _prices("elevenlabs", model, elevenlabs, "2026-06-30", tts_character=amount)
    yield from _prices("elevenlabs", "scribe_v2_realtime", elevenlabs, "2026-06-30", stt_second="0.0065")

    # Credits of the Startup plan, $49 for 1,250,000: a character takes one, a second of Ink 2 three, of Ink Whisper one
    cartesia = "cartesia.ai/pricing"
    yield from _prices("cartesia", ANY, cartesia, "2026-08-31", tts_character="0.0392")
    yield from _prices("cartesia", "ink-2", cartesia, "2026-08-31", stt_second="0.007056")
    yield from _prices("cartesia", "ink-2/manual", cartesia, "2026-08-31", stt_second="0.007056")
    yield from _prices("cartesia", "ink-whisper", cartesia, "2026-08-31", stt_second="0.002352")


LIST_PRICES: tuple[ListPrice, ...] = tuple(_all())
