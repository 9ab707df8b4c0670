"""Qwen2.5-Coder 1.5B through llama.cpp: short answers from a prompt. (Apache-2.0, Alibaba; xllamacpp MIT.)"""

from __future__ import annotations

import re
import secrets
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from voice.providers.base import Finished, Message, ProviderError
from voice.providers.local import manifest

SLOTS = 2
CONTEXT = 4096
# A long prompt is read in steps of so many tokens, about a second each; between two of them it can be given up.
BATCH = 64
# Prompts of calls that are not in a slot are kept in memory of this size.
CACHE_MB = 384
# It was taught to help programmers, and turns other questions down with a set phrase that no prompt takes out of it:
# one answer in twenty about opening hours. The words that this phrase cannot do without are made unlikely.
UNLIKELY = [[" sorry", -4], ["Sorry", -4], [" cannot", -4], [" assist", False]]
_LONGER = "exceed_context_size_error"


class Qwen:
    """Answers chats; up to `SLOTS` at once. Each method blocks."""

    def __init__(self, models: Path, *, threads: int = 2, generation_threads: int = 2) -> None:
        import xllamacpp

        self._folder = Path(tempfile.mkdtemp(prefix="callwright-llm-"))
        parameters = xllamacpp.CommonParams()
        parameters.model.path = str(models / manifest.QWEN)
        # In memory of its own, not mapped from the file, half of which would be there twice.
        parameters.load_mode = xllamacpp.llama_load_mode.LLAMA_LOAD_MODE_NONE
        parameters.n_ctx = SLOTS * CONTEXT
        parameters.n_parallel = SLOTS
        parameters.n_batch = parameters.n_ubatch = BATCH
        parameters.cache_ram_mib = CACHE_MB
        # When the oldest turns of a long call are left out, what was read of the later ones is kept.
        parameters.n_cache_reuse = 32
        parameters.use_jinja = True
        parameters.verbosity = 0
        # Writing is bound by memory: one thread writes three quarters as fast as two. But two are sooner at the end of
        # the first clause, before which the voice has nothing to do (measured: 0.1 s less to the first sound).
        parameters.cpuparams.n_threads = generation_threads
        parameters.cpuparams_batch.n_threads = threads
        parameters.cpuparams.poll = parameters.cpuparams_batch.poll = 0
        # It serves HTTP whether we want it or not: on a socket in a directory that is ours alone.
        parameters.hostnames = [str(self._folder / "llm.sock")]
        parameters.api_keys = [secrets.token_hex(16)]
        parameters.endpoint_slots = parameters.ui = False
        self._server = xllamacpp.Server(parameters)

    def close(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)

    def chat(
        self,
        messages: Sequence[Message],
        *,
        temperature: float,
        max_tokens: int,
        extra: Mapping[str, Any],
        on_text: Callable[[str], None],
        stop: Callable[[], bool],
    ) -> Finished:
        """Answer a chat, telling its text as it comes. The oldest turns go where it is too long for the model."""
        kept = list(messages)
        while True:
            answer = _Answer(on_text, stop)
            request = {
                **extra,
                "messages": kept,
                "temperature": temperature,
                "max_tokens": max_tokens,
                "logit_bias": UNLIKELY,
                "stream": True,
                "cache_prompt": True,
                "return_progress": True,
            }
            self._server.handle_chat_completions(request, answer.take)
            if answer.error is None:
                return answer.finished
            if answer.error.get("type") != _LONGER:
                raise ProviderError("local", f"The language model failed: {answer.error.get('message', 'no reason')}")
            shorter = shortened(kept, int(answer.error.get("n_prompt_tokens", 0)), CONTEXT - max_tokens)
            if len(shorter) == len(kept):
                raise ProviderError("local", "The agent's prompt is longer than the local language model can read.")
            kept = shorter

    def warm(self, messages: Sequence[Message], *, stop: Callable[[], bool]) -> None:
        """Read a chat's beginning, so that an answer to it starts sooner. Its last message may be unfinished."""
        answer = _Answer(lambda text: None, stop)
        request = {"prompt": beginning(messages), "n_predict": 0, "cache_prompt": True, "stream": True}
        self._server.handle_completions({**request, "return_progress": True}, answer.take)


def beginning(messages: Sequence[Message]) -> str:
    """The chat as Qwen's template writes it, as far as it is certain: of a caller who is still speaking, the last word
    may change, and nothing after it is known."""
    turns = [f"<|im_start|>{message['role']}\n{message['content']}<|im_end|>\n" for message in messages]
    if messages[-1]["role"] != "user":
        return "".join(turns)
    words = re.findall(r"\S+", str(messages[-1]["content"]))[:-1]
    return "".join(turns[:-1]) + "<|im_start|>user\n" + " ".join(words).rstrip(".,;:!?")


class _Answer:
    """Takes the pieces of one answer from llama.cpp's thread."""

    def __init__(self, on_text: Callable[[str], None], stop: Callable[[], bool]) -> None:
        self._on_text = on_text
        self._stop = stop
        self.error: dict[str, Any] | None = None
        self.finished = Finished("cancelled")

    def take(self, pieces: Any) -> bool:
        """Returns whether to give up."""
        for piece in pieces if isinstance(pieces, list) else [pieces]:
            if "error" in piece:
                self.error = piece["error"]
            for choice in piece.get("choices", ()):
                if text := (choice.get("delta") or {}).get("content"):
                    self._on_text(text)
                if reason := choice.get("finish_reason"):
                    self.finished = _finished(reason, piece.get("timings") or {})
        return self._stop()


def _finished(reason: str, timings: Mapping[str, Any]) -> Finished:
    cached = int(timings.get("cache_n", 0))
    read = cached + int(timings.get("prompt_n", 0))
    return Finished(reason, input_tokens=read, output_tokens=int(timings.get("predicted_n", 0)), cached_tokens=cached)


def shortened(messages: Sequence[Message], tokens: int, room: int) -> list[Message]:
    """The messages without the oldest turns, so that about `room` of their `tokens` remain.

    The system message stays, and the last message; what remains begins with one of the caller's.
    """
    head = [m for m in messages[:1] if m["role"] == "system"]
    turns = list(messages[len(head) :])
    size = sum(len(str(m["content"])) for m in messages)
    surplus = size * (1 - 0.9 * room / max(tokens, 1))
    while len(turns) > 1 and (surplus > 0 or turns[0]["role"] != "user"):
        surplus -= len(str(turns.pop(0)["content"]))
    return [*head, *turns]
