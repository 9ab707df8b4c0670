"""What a call used of its providers, read from its events."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction

from billing.costs import Component, Usage
from billing.selectors import LOCAL
from voice import events
from voice.events import Event


def usages(happened: Iterable[Event], services: Iterable[Mapping[str, str]]) -> list[Usage]:
    """Everything that is paid for: also the answer of a model that lost a race, and speech that nobody heard.

    `services` are those of the call (`Call.services`). What a provider has not reported is not known here either.
    """
    meter = _Meter(services)
    return [usage for event in happened for usage in meter.take(event)]


class _Meter:
    def __init__(self, services: Iterable[Mapping[str, str]]) -> None:
        self._known = {(service["role"], service["name"]): service for service in services}
        self._models: dict[str, tuple[str, str]] = {}
        self._voices: dict[str, str] = {}

    def take(self, event: Event) -> Iterator[Usage]:
        match event:
            case events.ModelRequested():
                self._models[event.request] = event.provider, event.model
            case events.ModelFinished() if event.request in self._models:
                yield from self._tokens(event, *self._models.pop(event.request))
            case events.SpeechRequested():
                self._voices[event.request] = event.provider
            case events.SpeechFinished(cached=False) if event.request in self._voices:
                provider = self._voices.pop(event.request)
                if ("realtime", provider) not in self._known:  # its speech is charged by the token
                    yield self._usage("tts", provider, "", "tts_character", event.characters)
            case events.ListeningFinished():
                seconds = Fraction(str(round(event.billed_seconds, 3)))
                yield self._usage("stt", event.provider, "", "stt_second", seconds)

    def _tokens(self, event: events.ModelFinished, provider: str, model: str) -> Iterator[Usage]:
        """Cached tokens are part of those that went in, and those of audio part of both."""
        component: Component = "realtime" if ("realtime", provider) in self._known else "llm"
        cached, cached_audio = event.cached_tokens or 0, event.cached_audio_tokens or 0
        audio_in, audio_out = event.input_audio_tokens or 0, event.output_audio_tokens or 0
        cached_text = max(0, cached - cached_audio)
        counts = {
            "llm_input_token": (event.input_tokens or 0) - audio_in - cached_text,
            "llm_cached_token": cached_text,
            "llm_output_token": (event.output_tokens or 0) - audio_out,
            "audio_input_token": audio_in - cached_audio,
            "audio_cached_token": cached_audio,
            "audio_output_token": audio_out,
        }
        for unit, count in counts.items():
            yield self._usage(component, provider, model, unit, max(0, count))

    def _usage(self, component: Component, provider: str, model: str, unit: str, quantity: int | Fraction) -> Usage:
        service = self._known.get((component, provider), {})
        # Our own models have names of their own, and nobody else's service is left unlisted.
        vendor = service.get("vendor", LOCAL if provider.partition("-")[0] == LOCAL else "")
        return Usage(
            component=component,
            provider=provider,
            vendor=vendor,
            model=model or service.get("model", ""),
            unit=unit,
            quantity=Fraction(quantity),
        )
