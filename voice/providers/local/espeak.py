"""The sounds of languages other than English, by espeak-ng where it is installed.

It is under the GPL and stays a program of its own, which is asked for the sounds of a text and answers in IPA. Nothing
of it is loaded into this process, and nothing needs it.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping

from voice.providers.base import ProviderError

PROGRAM = "espeak-ng"
SECONDS = 5.0
KOKORO: Mapping[str, tuple[str, str]] = {
    "es": ("es", "Spanish"),
    "fr": ("fr-fr", "French"),
    "hi": ("hi", "Hindi"),
    "it": ("it", "Italian"),
    "pt": ("pt-br", "Portuguese"),
}
"""By ISO 639-1 code: the program's voice, and the language's name. Kokoro learnt these languages from its sounds,
Japanese and Chinese from others."""

_MARKS = re.compile(r"([^\w\s'’-]+)")  # noqa: RUF001
# What the program writes where it takes a word for a foreign one: "(en)", with ties between the letters.
_SWITCHED = re.compile(r"\([a-z^-]+\)")


def installed() -> bool:
    return shutil.which(PROGRAM) is not None


def ipa(text: str, voice: str) -> str:
    """The sounds of `text`, with its punctuation; affricates and diphthongs are tied with "^". Raises ProviderError."""
    parts = _MARKS.split(" ".join(text.split()))
    return "".join(_said(part, voice) if place % 2 == 0 else part for place, part in enumerate(parts))


def _said(words: str, voice: str) -> str:
    """The sounds of words without punctuation, with the white space around them."""
    if not words.strip():
        return words
    command = [PROGRAM, "-q", "--ipa", "--tie=^", "-v", voice, "--stdin"]
    try:
        found = subprocess.run(command, input=words, capture_output=True, text=True, timeout=SECONDS, check=True)
    except FileNotFoundError:
        raise missing() from None
    except (subprocess.SubprocessError, OSError, UnicodeError) as error:
        raise ProviderError("local", f"{PROGRAM} could not say how words sound: {error}") from error
    sounds = " ".join(_SWITCHED.sub("", found.stdout).split())
    return " " * words[:1].isspace() + sounds + " " * words[-1:].isspace()


def missing() -> ProviderError:
    return ProviderError(
        "local",
        f"The voices of this machine speak other languages than English with the program {PROGRAM}, which is not "
        f"installed. Install it ({PROGRAM} is its package, too), or choose a voice of a connection.",
    )
