"""The model process's operations, with models that are told what to do."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import numpy as np
import pytest

from voice.providers.base import Finished, LlmSettings, ProviderBusy, ProviderError, TextDelta
from voice.providers.local.checks import available_megabytes, llm_trouble
from voice.providers.local.download import FetchError
from voice.providers.local.embed import LocalEmbedder
from voice.providers.local.host import Host
from voice.providers.local.llm import LocalLlm
from voice.providers.local.service import Service, parts
from voice.providers.local.tts import LocalTts


class Voice:
    def __init__(self, rate: int, level: float) -> None:
        self.rate, self.level = rate, level
        self.said: list[str] = []

    def speak(self, text: str, *, speed: float = 1.0, **how: object):
        self.said.append(text)
        self.how = how
        piece = np.full(round(self.rate * 0.05 / speed), self.level, np.float32)
        yield piece, False
        yield piece, True


class Llm:
    """Writes the words it is given, each once `go` is set, and remembers what it was asked."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.log: list[str] = []
        self.running = 0
        self.most = 0

    def chat(self, messages, *, temperature, max_tokens, extra, on_text, stop):
        return self._work(f"answer {messages[-1]['content']}", on_text, stop)

    def warm(self, messages, *, stop):
        self._work(f"warm {messages[-1]['content']}", lambda text: None, stop)

    def _work(self, name, on_text, stop):
        self.running += 1
        self.most = max(self.most, self.running)
        self.log.append(name)
        try:
            for word in ("One", " two", " three"):
                while not self.go.wait(0.005):
                    if stop():
                        self.log.append(f"stopped {name}")
                        return Finished("cancelled")
                on_text(word)
            return Finished("stop", 10, 3, 8)
        finally:
            self.running -= 1


class Embedder:
    def embed(self, text: str):
        return np.full(384, len(text), np.float32)


class Nothing:
    """A fetcher that has everything, or says why not."""

    def __init__(self, failing: dict[str, str] | None = None) -> None:
        self.failing = failing or {}

    def fetch(self, name, *, keep_for=()):
        if name in self.failing:
            raise FetchError(self.failing[name])


@pytest.fixture
def models():
    return {"piper": Voice(22_050, 0.2), "tts": Voice(24_000, 0.4), "embed": Embedder(), "llm": Llm()}


@pytest.fixture
def hosting(board, monkeypatch):
    """A host that has brought up the given models."""
    monkeypatch.setattr("voice.providers.local.host.llm_trouble", lambda: "")

    def host(models, failing=None, **options) -> Host:
        loaders = {name: lambda _, model=model: model for name, model in models.items()}
        host = Host(Path(), board, loaders=loaders, fetcher=Nothing(failing), **options)
        host.start()
        for _ in range(500):
            if all(board.get(name).state in ("ready", "failed", "off") for name in models):
                return host
            threading.Event().wait(0.01)
        raise AssertionError("the models did not come up")

    return host


async def spoken(tts: LocalTts, text: str, voice: str = "af_heart") -> list[bytes]:
    return [audio.pcm async for audio in tts.speak(text, voice=voice, speed=1.0, language="en")]


async def test_speech_comes_as_sixteen_kilohertz(serving, hosting, models):
    async with serving(Service(hosting(models))) as connection:
        audio = b"".join(await spoken(LocalTts(connection), "Hello."))
        samples = np.frombuffer(audio, "<i2")
        assert len(samples) == 1600
        assert samples[800] == pytest.approx(0.4 * 32767, rel=0.02)


async def test_piper_speaks_while_the_natural_voices_are_missing(serving, hosting, models):
    service = Service(hosting(models, failing={"tts": "npm is not installed."}))
    async with serving(service) as connection:
        assert await spoken(LocalTts(connection), "Hello.")
    assert models["piper"].said == ["Hello."]


async def test_the_light_voice_is_always_pipers(serving, hosting, models):
    async with serving(Service(hosting(models))) as connection:
        await spoken(LocalTts(connection, light=True), "Hello.")
    assert models["piper"].said == ["Hello."]
    assert models["tts"].said == []


async def test_a_model_that_is_not_there_says_what_is_missing(serving, hosting, models, board):
    del models["piper"]
    service = Service(hosting(models, failing={"tts": "npm is not installed."}))
    async with serving(service) as connection:
        with pytest.raises(ProviderError, match=r"natural voices is not available\. npm is not installed"):
            await spoken(LocalTts(connection), "Hello.")
        board.set("stt", state="downloading", done=30, total=60)
        with pytest.raises(ProviderError, match=r"still being downloaded \(50 %\)"):
            await connection.one("stt", b"", final=True)
        board.set("turn", state="loading")
        with pytest.raises(ProviderError, match="end of turn is still loading"):
            await connection.one("turn", b"")


async def test_what_failed_is_tried_again(hosting, models, board):
    failing = {"tts": "no network"}
    hosting(models, failing=failing, retry_seconds=0.05)
    assert board.get("tts").message == "no network"
    failing.clear()
    async with asyncio.timeout(5):
        while board.get("tts").state != "ready":  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_a_language_model_that_is_left_out_is_off(serving, hosting, models, board):
    async with serving(Service(hosting(models, llm=False))) as connection:
        assert board.get("llm").state == "off"
        with pytest.raises(ProviderError, match="switched off"):
            await anext(LocalLlm(connection).stream([], tools=(), settings=LlmSettings("m")))


async def test_embeddings_are_rows(serving, hosting, models):
    async with serving(Service(hosting(models))) as connection:
        rows = await LocalEmbedder(connection).embed(["a", "abc"])
    assert rows[:, 0].tolist() == [1, 3]


# --- the language model


def ask(connection, text: str, head: str = "prompt"):
    messages = [{"role": "system", "content": head}, {"role": "user", "content": text}]
    return LocalLlm(connection).stream(messages, tools=(), settings=LlmSettings("m"))


async def until(condition) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


async def test_an_answer_streams_and_ends_with_its_counts(serving, hosting, models):
    models["llm"].go.set()
    async with serving(Service(hosting(models))) as connection:
        chunks = [chunk async for chunk in ask(connection, "a")]
    assert "".join(chunk.text for chunk in chunks if isinstance(chunk, TextDelta)) == "One two three"
    assert chunks[-1] == Finished("stop", 10, 3, 8)


async def test_closing_an_answer_stops_the_model(serving, hosting, models):
    llm = models["llm"]
    async with serving(Service(hosting(models))) as connection:
        pending = asyncio.ensure_future(anext(ask(connection, "a")))
        await until(lambda: "answer a" in llm.log)
        pending.cancel()
        await until(lambda: "stopped answer a" in llm.log)


async def test_an_answer_displaces_reading_ahead_which_goes_on_later(serving, hosting, models):
    llm = models["llm"]
    async with serving(Service(hosting(models))) as connection:
        messages = [{"role": "system", "content": "prompt"}, {"role": "user", "content": "w"}]
        warm = asyncio.create_task(LocalLlm(connection).prewarm(messages, tools=(), settings=LlmSettings("m")))
        await until(lambda: "warm w" in llm.log)
        answer = asyncio.ensure_future(anext(ask(connection, "a")))
        await until(lambda: "answer a" in llm.log)
        assert llm.log == ["warm w", "stopped warm w", "answer a"]
        assert llm.most == 1
        llm.go.set()
        await answer
        await warm
    assert llm.log[-1] == "warm w"


async def test_an_answer_waits_until_the_model_has_let_go_of_the_same_chat(serving, hosting, models):
    llm = models["llm"]
    async with serving(Service(hosting(models))) as connection:
        first = asyncio.ensure_future(anext(ask(connection, "a")))
        await until(lambda: "answer a" in llm.log)
        first.cancel()
        second = asyncio.ensure_future(anext(ask(connection, "a b")))
        await until(lambda: "answer a b" in llm.log)
        assert llm.log == ["answer a", "stopped answer a", "answer a b"]
        llm.go.set()
        await second


async def test_a_full_queue_refuses_at_once(serving, hosting, models):
    async with serving(Service(hosting(models))) as connection:
        waiting = [asyncio.ensure_future(anext(ask(connection, "a", head=str(n)))) for n in range(8)]
        await until(lambda: models["llm"].running == 2)
        with pytest.raises(ProviderBusy, match="busy: 6 requests wait for the language model"):
            await anext(ask(connection, "one too many", head="x"))
        models["llm"].go.set()
        await asyncio.gather(*waiting)


# --- what this machine can do


def test_text_is_cut_where_a_speaker_would_breathe():
    text = "We are open from nine to five, and on Saturdays until one. Parking is free. Come by!"
    assert parts(text, 60) == [
        "We are open from nine to five, and on Saturdays until one.",
        "Parking is free. Come by!",
    ]
    assert parts(text, 40)[0] == "We are open from nine to five,"
    assert parts("short") == ["short"]
    assert parts("  ") == []
    assert all(len(part) <= 20 for part in parts("x" * 100, 20))


def test_a_processor_without_avx2_is_told(tmp_path):
    cpuinfo, meminfo = tmp_path / "cpuinfo", tmp_path / "meminfo"
    cpuinfo.write_text("processor : 0\nflags : sse sse2 avx\n")
    meminfo.write_text("MemTotal: 99999999 kB\nMemAvailable: 99999999 kB\n")
    assert "AVX2" in llm_trouble(cpuinfo, meminfo, "x86_64")
    assert llm_trouble(cpuinfo, meminfo, "aarch64") == ""
    cpuinfo.write_text("flags : avx avx2\n")
    assert llm_trouble(cpuinfo, meminfo, "x86_64") == ""


def test_too_little_memory_is_told(tmp_path):
    cpuinfo, meminfo = tmp_path / "cpuinfo", tmp_path / "meminfo"
    cpuinfo.write_text("flags : avx2\n")
    meminfo.write_text("MemAvailable: 1024000 kB\n")
    assert "1000 MB are free" in llm_trouble(cpuinfo, meminfo, "x86_64")
    assert "LLM=none" in llm_trouble(cpuinfo, meminfo, "x86_64")
    assert available_megabytes(tmp_path / "nothing") is None
