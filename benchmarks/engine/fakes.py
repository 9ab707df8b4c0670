"""What the fake providers answer and when; each adapter wraps this in its engine's own provider classes.

The delays add up to the floor: what passes between the caller's last sound and the agent's first if an
engine takes no time at all.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import numpy as np

STT_FINAL = 0.250
"""Seconds from the true end of speech to the final transcript."""

LLM_FIRST_TOKEN = 0.200
LLM_TOKEN = 1 / 50
"""Seconds between tokens."""

TTS_FIRST_AUDIO = 0.100
TTS_RATE = 24_000
TTS_CHUNK = 0.100
"""Seconds of speech in one chunk of audio."""
TTS_SPEED = 4.0
"""Seconds of speech made in one second."""
SECONDS_PER_WORD = 0.15

CALLER_WORDS = "can you tell me when you are open today"
"""Not what the recording says: words after which no engine waits for more."""

SENTENCES = (
    "We are open from nine until five today.",
    "You can come in whenever it suits you.",
    "The clinic is next to the old station.",
    "Parking is free for the first two hours.",
    "Please bring your insurance card with you then.",
)
TOKENS = tuple(word if i == 0 else f" {word}" for i, word in enumerate(" ".join(SENTENCES).split()))
REPLY_SECONDS = len(TOKENS) * SECONDS_PER_WORD

FLOOR = STT_FINAL + LLM_FIRST_TOKEN + (len(SENTENCES[0].split()) - 1) * LLM_TOKEN + TTS_FIRST_AUDIO
"""0.69 s: transcript, first token, the rest of the first sentence, first audio."""

_CHUNK_SAMPLES = round(TTS_RATE * TTS_CHUNK)
# A tone that has no silent frame, so that the caller's side can tell speech from silence.
_TONE = (6000 * np.sin(np.arange(_CHUNK_SAMPLES) * (2 * np.pi * 230 / TTS_RATE))).astype("<i2").tobytes()


async def tokens() -> AsyncIterator[str]:
    """The language model: 40 tokens, on time even if the loop was late before."""
    loop = asyncio.get_running_loop()
    due = loop.time() + LLM_FIRST_TOKEN
    for token in TOKENS:
        await asyncio.sleep(due - loop.time())
        yield token
        due += LLM_TOKEN


async def speech(text: str) -> AsyncIterator[bytes]:
    """The voice: 24 kHz PCM16 in chunks of 100 ms, each 25 ms after the one before."""
    loop = asyncio.get_running_loop()
    due = loop.time() + TTS_FIRST_AUDIO
    remaining = round(len(text.split()) * SECONDS_PER_WORD * TTS_RATE) * 2
    while remaining > 0:
        await asyncio.sleep(due - loop.time())
        yield _TONE[:remaining]
        remaining -= len(_TONE)
        due += TTS_CHUNK / TTS_SPEED
