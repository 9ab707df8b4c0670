"""Deepgram's live protocols, for the words that `hearing` puts into audio."""

from __future__ import annotations

from typing import Any

from tests.voice.providers.fake_socket import Peer
from tests.voice.providers.hearing import recognised
from voice.media import seconds
from voice.providers.vendor import Account

KEY = "dg-secret-key"


def account(url: str) -> Account:
    return Account(base_url=url, api_key=KEY)


def results(text: str, start: float, duration: float, *, final: bool = False, finalize: bool = False) -> dict[str, Any]:
    words = [{"word": word, "start": start, "end": start + duration, "confidence": 0.98} for word in text.split()]
    return {
        "type": "Results",
        "channel_index": [0, 1],
        "start": start,
        "duration": duration,
        "is_final": final,
        "speech_final": False,
        "from_finalize": finalize,
        "channel": {"alternatives": [{"transcript": text, "confidence": 0.98, "words": words}]},
        "metadata": {"request_id": "r"},
    }


class Nova:
    """One connection's recognition."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self.audio = bytearray()
        self.begin = 0

    async def read(self) -> Any:
        """The next message; audio is taken in."""
        message = await self.peer.read()
        if isinstance(message, bytes):
            self.audio += message
        return message

    def results(self, *, final: bool = False, finalize: bool = False) -> dict[str, Any]:
        audio = self.audio[self.begin :]
        sent = results(recognised(audio), seconds(self.begin), seconds(len(audio)), final=final, finalize=finalize)
        self.begin = len(self.audio) if final else self.begin
        return sent


async def nova(peer: Peer) -> None:
    """Recognises as Deepgram does."""
    recognition = Nova(peer)
    while True:
        match await recognition.read():
            case bytes():
                await peer.send(recognition.results())
            case {"type": "Finalize"}:
                await peer.send(recognition.results(final=True, finalize=True))
            case {"type": "CloseStream"}:
                await peer.send({"type": "Metadata", "request_id": "r", "duration": seconds(len(recognition.audio))})
                return


class Flux:
    """One connection's turns: a turn ends by itself after 0.3 s of silence, in the eager sense after 0.15 s."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self.audio = bytearray()
        self.begin = self.turn = self.sequence = 0
        self.words = ""
        self.state = ""

    async def run(self) -> None:
        await self.peer.send({"type": "Connected", "request_id": "r", "sequence_id": 0})
        while True:
            match await self.peer.read():
                case bytes() as pcm:
                    self.audio += pcm
                    await self.report()
                case {"type": "ForceEndTurn"} if self.words:
                    await self.end("manual")
                case {"type": "CloseStream"}:
                    return

    async def report(self) -> None:
        words, before = recognised(self.audio[self.begin :]), self.words
        self.words = words
        silent = seconds(len(self.audio) - len(self.audio.rstrip(b"\0")))
        if words and not before:
            await self.tell("StartOfTurn")
        elif words and silent >= 0.3:
            await self.end("model")
        elif words and silent >= 0.15 and self.state != "eager":
            self.state = "eager"
            await self.tell("EagerEndOfTurn")
        elif self.state == "eager" and words != before:
            self.state = ""
            await self.tell("TurnResumed")
        else:
            await self.tell("Update")

    async def end(self, trigger: str) -> None:
        await self.tell("EndOfTurn", trigger=trigger)
        self.begin, self.words, self.state = len(self.audio), "", ""
        self.turn += 1

    async def tell(self, event: str, **more: str) -> None:
        self.sequence += 1
        await self.peer.send(
            {
                "type": "TurnInfo",
                "request_id": "r",
                "sequence_id": self.sequence,
                "event": event,
                "turn_index": self.turn,
                "audio_window_start": seconds(self.begin),
                "audio_window_end": seconds(len(self.audio)),
                "transcript": self.words,
                "words": [{"word": word, "confidence": 0.9} for word in self.words.split()],
                "end_of_turn_confidence": 0.8 if event == "EndOfTurn" else 0.2,
                **more,
            }
        )


async def flux(peer: Peer) -> None:
    await Flux(peer).run()
