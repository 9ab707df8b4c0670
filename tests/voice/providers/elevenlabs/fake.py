"""ElevenLabs' live recognition, for the words that `hearing` puts into audio."""

from __future__ import annotations

from base64 import b64decode
from typing import Any

from tests.voice.providers.fake_socket import Peer
from tests.voice.providers.hearing import recognised
from voice.providers.vendor import Account

KEY = "xi-secret-key"
STARTED = {"message_type": "session_started", "session_id": "s", "config": {"sample_rate": 16000}}


def account(url: str) -> Account:
    return Account(base_url=url, api_key=KEY)


async def begin(peer: Peer) -> None:
    await peer.send(STARTED)


async def chunk(peer: Peer) -> tuple[bytes, bool]:
    """The audio of the next message, and whether it commits."""
    message: dict[str, Any] = await peer.read()
    assert message["message_type"] == "input_audio_chunk"
    assert message["sample_rate"] == 16000
    return b64decode(message["audio_base_64"]), message["commit"]


async def scribe(peer: Peer) -> None:
    """Recognises as Scribe does: a segment grows until it is committed."""
    await begin(peer)
    audio = bytearray()
    while True:
        pcm, commits = await chunk(peer)
        audio += pcm
        if commits:
            await peer.send({"message_type": "committed_transcript", "text": recognised(audio)})
            audio.clear()
        elif recognised(audio):
            await peer.send({"message_type": "partial_transcript", "text": recognised(audio)})
