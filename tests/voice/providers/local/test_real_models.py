"""The real weights, through the real model process."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable

import numpy as np
import pytest

from benchmarks.speech import DATA, frames, read_wav, recordings
from voice.providers.base import Finished, LlmSettings, ProviderError, TextDelta, ToolRequest, ToolSchema
from voice.providers.local.forms import filled_in
from voice.tools.arguments import complaint
from voice.tools.end_call import EndCallTool

pytestmark = pytest.mark.models

SECOND = 32_000
PROMPT = (
    "You are the receptionist of Lakeside Dental. Answer in one short sentence. "
    "Opening hours: Monday to Friday from 8 to 5, closed on Sunday. A cleaning costs 120 dollars. "
    "Parking is behind the house."
)


def words(text: str) -> list[str]:
    return re.findall(r"[a-z']+", text.lower().replace("-", " "))


def errors(said: list[str], heard: list[str]) -> int:
    """Words to insert, delete or replace to get from one to the other."""
    row = list(range(len(heard) + 1))
    for i, word in enumerate(said, 1):
        diagonal, row[0] = row[0], i
        for j, other in enumerate(heard, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (word != other))
    return row[-1]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def recognise(models, pcm: bytes) -> list[str]:
    """Play `pcm` into recognition as a call does, only faster; all transcripts, the final one last."""
    got: list[str] = []
    done = asyncio.get_running_loop().create_future()

    def take(transcript):
        got.append(transcript.text)
        if transcript.final:
            done.set_result(None)

    stream = models.stt.open(language="en", on_transcript=take, on_error=done.set_exception)
    stream.speech_started()
    for frame in frames(pcm):
        stream.feed(frame)
        await asyncio.sleep(0.002)
    stream.speech_stopped()
    await asyncio.wait_for(done, 20)
    stream.close()
    return got


async def say(models, text: str, voice: str = "af_heart") -> bytes:
    speech = models.tts.speak(text, voice=voice, speed=1.0, language="en")
    return b"".join([audio.pcm async for audio in speech])


async def ask(models, text: str, tools=()) -> list:
    messages = [{"role": "system", "content": PROMPT}, {"role": "user", "content": text}]
    settings = LlmSettings("qwen", temperature=0.0, max_tokens=60)
    return [chunk async for chunk in models.llm.stream(messages, tools=tools, settings=settings)]


async def test_it_recognises_recorded_speech(models):
    wrong = total = 0
    for name, transcript in recordings().items():
        heard = (await recognise(models, read_wav(DATA / name)))[-1]
        wrong += errors(words(transcript), words(heard))
        total += len(words(transcript))
    assert wrong / total < 0.15


async def test_partial_transcripts_come_before_the_final_one(models):
    transcripts = await recognise(models, read_wav(DATA / "had-he-married.wav"))
    assert len(transcripts) > 1
    assert len(words(transcripts[0])) < len(words(transcripts[-1]))


async def test_a_turn_longer_than_the_model_can_take_is_recognised_whole(models):
    clips = [read_wav(DATA / name) for name in recordings()]
    spoken = [word for transcript in recordings().values() for word in words(transcript)]
    heard = words((await recognise(models, b"".join(clips + clips)))[-1])
    assert errors(spoken + spoken, heard) / len(spoken + spoken) < 0.2


@pytest.mark.parametrize("voice", ["af_heart", "am_michael", "joe"])
async def test_what_a_voice_says_is_recognised_again(models, voice):
    text = "We are open on Saturday, and parking is behind the house."
    heard = (await recognise(models, await say(models, text, voice)))[-1]
    assert errors(words(text), words(heard)) <= 1


async def test_a_long_piece_of_text_comes_in_parts(models):
    text = "You can find us in Main Street, right across from the old library. " * 3
    pieces = [audio.pcm async for audio in models.tts.speak(text, voice="af_heart", speed=1.0, language="en")]
    assert len([piece for piece in pieces if piece]) > 1


async def test_speed_shortens_speech(models):
    normal = [a async for a in models.light_tts.speak("We are open.", voice="joe", speed=1.0, language="en")]
    quick = [a async for a in models.light_tts.speak("We are open.", voice="joe", speed=1.8, language="en")]
    assert sum(len(a.pcm) for a in quick) < 0.8 * sum(len(a.pcm) for a in normal)


async def test_a_voice_that_does_not_exist_is_refused(models):
    with pytest.raises(ProviderError, match="no local voice named 'nobody'"):
        await say(models, "Hello.", "nobody")


async def test_voice_activity_finds_the_edges_of_speech(models):
    edges: list[tuple[bool, float]] = []
    clip = read_wav(DATA / "not-ill-disposed.wav")
    stream = models.vad.open(lambda on, edge: edges.append((on, edge / 16_000)), start=0.128, stop=0.128)
    for frame in frames(bytes(SECOND) + clip + bytes(SECOND)):
        stream.feed(frame)
    await until(lambda: len(edges) > 1 and not edges[-1][0])
    stream.close()
    assert edges[0][0]
    assert edges[0][1] == pytest.approx(1.0, abs=0.15)
    assert edges[-1][1] == pytest.approx(1.0 + len(clip) / SECOND, abs=0.2)


async def test_voice_activity_keeps_calls_apart(models):
    speaking: dict[int, list[bool]] = {number: [] for number in range(40)}
    streams = [models.vad.open(lambda on, _, n=n: speaking[n].append(on), start=0.128, stop=0.128) for n in speaking]
    clip = frames(read_wav(DATA / "cold-hearted.wav"))[:100]
    for frame in clip:
        for number, stream in enumerate(streams):
            stream.feed(frame if number % 2 else bytes(640))
        await asyncio.sleep(0.001)
    await until(lambda: all(speaking[n] for n in speaking if n % 2))
    for stream in streams:
        stream.close()
    assert not any(speaking[n] for n in speaking if n % 2 == 0)


async def test_the_end_of_a_sentence_is_told_from_its_middle(models):
    clip = read_wav(DATA / "had-he-married.wav")
    assert await models.end_of_turn.predict(clip) > 0.5
    assert await models.end_of_turn.predict(clip[: len(clip) // 2]) < 0.5


async def test_the_language_model_answers_from_its_prompt(models):
    chunks = await ask(models, "How much is a cleaning?", [EndCallTool.schema])
    assert "120" in "".join(chunk.text for chunk in chunks if isinstance(chunk, TextDelta))
    assert not any(isinstance(chunk, ToolRequest) for chunk in chunks)
    end = chunks[-1]
    assert isinstance(end, Finished)
    assert end.reason == "stop"
    assert end.input_tokens
    assert end.output_tokens


async def test_the_language_model_hangs_up_after_a_goodbye(models):
    chunks = await ask(models, "That's all, thank you. Goodbye!", [EndCallTool.schema])
    assert [chunk.name for chunk in chunks if isinstance(chunk, ToolRequest)] == ["end_call"]
    assert "[" not in "".join(chunk.text for chunk in chunks if isinstance(chunk, TextDelta))
    assert chunks[-1].reason == "tool_calls"


BOOK = ToolSchema(
    "book_visit",
    "Book a visit, once you know the day, the time and the caller's name.",
    {
        "type": "object",
        "properties": {
            "day": {"type": "string", "enum": ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"]},
            "time": {"type": "string", "description": "Such as 9:30."},
            "name": {"type": "string", "description": "The caller's name."},
        },
        "required": ["day", "time", "name"],
    },
)


async def book(models, *said: str) -> list[dict]:
    """What the model asks to book when the caller has said all that."""
    messages = [{"role": "system", "content": PROMPT + " You book visits."}]
    for text in said[:-1]:
        messages += [{"role": "user", "content": text}, {"role": "assistant", "content": "All right. What else?"}]
    messages.append({"role": "user", "content": said[-1]})
    settings = LlmSettings("qwen", temperature=0.0, max_tokens=80)
    stream = models.llm.stream(messages, tools=[BOOK, EndCallTool.schema], settings=settings)
    return [json.loads(chunk.arguments) async for chunk in stream if isinstance(chunk, ToolRequest)]


async def test_a_visit_is_booked_with_what_the_caller_has_said(models):
    for said in (
        ("I would like to come on Friday.", "At 9:30.", "My name is Ann Smith. Please book it."),
        ("Please book me a visit on Friday at 9:30. My name is Ann Smith.",),
    ):
        [asked] = await book(models, *said)
        assert not complaint(BOOK, asked)
        assert (asked["day"], asked["time"][:4]) == ("Friday", "9:30")
        assert "Ann" in asked["name"]


async def test_the_form_of_a_tool_has_what_was_said_and_nothing_else(models):
    messages = [
        {"role": "system", "content": PROMPT + " You book visits."},
        {"role": "user", "content": "I am Ann Smith. Can I come on Friday?"},
    ]
    written = json.loads(await models.llm._fill_in(BOOK, messages))
    assert filled_in(written, BOOK, messages[1]["content"]) == {"day": "Friday", "name": "Ann Smith"}


async def test_a_prewarmed_prompt_is_not_read_again(models):
    start = {"role": "system", "content": PROMPT + " Your name is Mary."}
    settings = LlmSettings("qwen", temperature=0.0, max_tokens=5)
    await models.llm.prewarm([start], tools=(), settings=settings)
    messages = [start, {"role": "user", "content": "Who are you?"}]
    end = [chunk async for chunk in models.llm.stream(messages, tools=(), settings=settings)][-1]
    assert end.cached_tokens / end.input_tokens > 0.6


async def test_an_answer_that_is_closed_leaves_the_model_free(models):
    messages = [{"role": "system", "content": PROMPT}, {"role": "user", "content": "Tell me a very long story."}]
    for _ in range(4):
        stream = models.llm.stream(messages, tools=(), settings=LlmSettings("qwen", max_tokens=400))
        await anext(stream)
        await stream.aclose()
    assert await asyncio.wait_for(ask(models, "Are you open on Sunday?"), 20)


async def test_embeddings_find_the_passage_that_answers(models):
    passages = ["Our hours are eight to five.", "A cleaning costs 120 dollars.", "We are across from the library."]
    questions = ["When do you open?", "What is the price?", "Where are you located?"]
    scores = await models.embedder.embed(questions) @ (await models.embedder.embed(passages)).T
    assert scores.argmax(axis=1).tolist() == [0, 1, 2]
    assert np.allclose(np.linalg.norm(await models.embedder.embed(passages), axis=1), 1, atol=1e-5)
