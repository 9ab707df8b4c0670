"""Recognition by OpenAI and servers like it: live over a WebSocket, or of recordings of what was said at a pause."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import httpx

from voice.providers.api import Api
from voice.providers.base import ProviderError, SttStream, Transcript
from voice.providers.listening import ListeningStt
from voice.providers.openai.live import LiveRecogniser, transcription_of
from voice.providers.openai.upload import UploadStream, form_of
from voice.providers.recogniser import Recogniser
from voice.providers.sockets import Connect, connect_anywhere, socket_url

LIVE, UPLOAD = "/live", "/upload"
# What only OpenAI has, and has live. Compatible servers with models of other names mostly take recordings only.
_LIVE_MODELS = ("gpt-live-transcribe", "gpt-realtime-whisper", "gpt-transcribe", "gpt-4o")


def is_live(model: str) -> bool:
    """Whether a model is used over a WebSocket. `/live` or `/upload` after its name decides."""
    return model.endswith(LIVE) or (model.startswith(_LIVE_MODELS) and not model.endswith(UPLOAD))


class OpenAiStt:
    """Recognition by one model of a server; `base_url` is what comes before `/realtime` and `/audio/transcriptions`.

    One object serves all calls; `close` closes its connections. Where people type the address, hand it a `client` and a
    `connect` that refuse private ones.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str,
        model: str,
        *,
        client: httpx.AsyncClient | None = None,
        connect: Connect = connect_anywhere,
        name: str = "openai",
    ) -> None:
        self.name = name
        self._model = model.removesuffix(LIVE).removesuffix(UPLOAD)
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._api = Api(name, base_url, secret=api_key, headers=headers, client=client)
        url = socket_url(base_url, "/realtime", [("intent", "transcription")])

        def protocol(language: str, keyterms: Sequence[str]) -> Recogniser:
            wanted = transcription_of(self._model, language, keyterms)
            return LiveRecogniser(url, headers, self._api.failures, wanted, connect)

        self._live = ListeningStt(name, protocol) if is_live(model) else None

    async def close(self) -> None:
        """End all streams and close their connections."""
        if self._live is not None:
            await self._live.close()
        await self._api.close()

    def open(
        self,
        *,
        language: str,
        keyterms: Sequence[str] = (),
        on_transcript: Callable[[Transcript], None],
        on_error: Callable[[ProviderError], None],
    ) -> SttStream:
        """Begin to listen to one call."""
        language = language.partition("-")[0].lower()
        if self._live is not None:
            return self._live.open(language=language, keyterms=keyterms, on_transcript=on_transcript, on_error=on_error)
        return UploadStream(self._api, form_of(self._model, language, keyterms), on_transcript, on_error)
