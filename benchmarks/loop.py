"""The whole embedded loop on speech: `python -m benchmarks.loop [--rounds N] [--voice ID] [--silent] [--show]`.

A caller phones a receptionist: real conversation, real models in a process of their own, real time. The caller asks
questions, spoken beforehand by one of the local voices; how long each waits from the last sound of the question to the
agent's first sound is the first figure, and to the first sound of the answer itself the second: where an answer takes
its time, the agent thinks aloud before it, as the agents do that come with the product. A call of one question goes
before, and its wait is told apart: in it the model reads the agent's prompt for the first time, and the voice makes the
phrases that all calls share.

The recognition's word error rate is measured on people's speech: the recordings in `benchmarks/data`. CPU seconds are
those of all processes, per question asked. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks.engine.measure import Cost, percentile
from benchmarks.speech import DATA, FRAME_SECONDS, SAMPLE_RATE, SILENCE, frames, read_wav, recordings
from voice import events
from voice.brain import llm_brain
from voice.chain import ChatModel
from voice.conversation import Conversation, EndReason, Services
from voice.latency import turn_latencies
from voice.media.pacer import Pacer
from voice.providers.base import Transcript
from voice.providers.local import LocalModels
from voice.providers.local.fetch import DEFAULT_MODELS
from voice.services import voice_chain
from voice.spec import AgentSpec, Phrases, Voice
from voice.speech import PhraseCache
from voice.transport import Transport

PROMPT = (
    "You are the friendly receptionist of Lakeside Dental, a dental practice in Springfield. You speak with callers on "
    "the phone. Answer in one or two short sentences, as people speak. Use only what you know from here; if you do not "
    "know something, offer that a colleague calls back.\n"
    "Opening hours: Monday to Friday from 8:30 to 5:30, Saturday from 9 to 1, closed on Sunday. Address: 12 Main "
    "Street, across from the library. A check-up costs 90 dollars, a cleaning 120 dollars, whitening 350 dollars. We "
    "take Cigna and Delta Dental. New patients are welcome. Cancelling is free until 24 hours before. You park behind "
    "the house. Doctor Lee and Doctor Patel work here."
)
THINKING = ("Okay.", "Let me see.")
GREETING = "Lakeside Dental, how can I help you?"
QUESTIONS = [
    "When are you open on Saturday?",
    "How much is a cleaning?",
    "Do you take Cigna?",
    "Where can I park my car?",
    "What is your address, please?",
    "Are you open on Sunday?",
    "How much does whitening cost?",
    "Do you take new patients?",
    "Can I cancel my appointment tomorrow?",
    "Which doctors work at your practice?",
]
CALLER_VOICE = "am_michael"
# Softer than this (root mean square of a frame) is silence.
AUDIBLE = 100.0
START_SECONDS = 300.0
ANSWER_SECONDS = 25.0
# A pause between an answer and the next question, as people make.
BREATH_SECONDS = 0.6
# How long the first caller stays on the line, in which the phrases are made.
PREPARING_SECONDS = 8.0


@dataclass
class Line(Transport):
    """A phone line that is played into in real time, and knows when each side was last and first heard."""

    lead: float = 0.0
    playout_delay: float = 0.0
    speech: list[bytes] = field(default_factory=list)
    asked_at: float = 0.0
    answered_at: float | None = None

    def send_audio(self, frame: bytes) -> None:
        if self.asked_at and self.answered_at is None and _loudness(frame) > AUDIBLE:
            self.answered_at = time.monotonic()

    def clear(self) -> None:
        return

    async def hang_up(self, reason: str) -> None:
        return

    async def play(self, pcm: bytes) -> None:
        """Say `pcm`; `asked_at` is then when its last sound was made."""
        self.asked_at, self.answered_at = 0.0, None
        self.speech = frames(pcm)
        while self.speech:  # noqa: ASYNC110
            await asyncio.sleep(FRAME_SECONDS)
        quiet = next((n for n, frame in enumerate(reversed(frames(pcm))) if _loudness(frame) > AUDIBLE), 0)
        self.asked_at = time.monotonic() - quiet * FRAME_SECONDS

    async def run(self, conversation: Conversation) -> None:
        """A frame every 20 ms: what there is to say, or silence."""
        begun, sent = time.monotonic(), 0
        while True:
            conversation.on_audio(self.speech.pop(0) if self.speech else SILENCE)
            sent += 1
            await asyncio.sleep(max(0.0, begun + sent * FRAME_SECONDS - time.monotonic()))


def _loudness(frame: bytes) -> float:
    return float(np.sqrt((np.frombuffer(frame, "<i2").astype(np.float64) ** 2).mean()))


@dataclass
class Result:
    waits: list[float]
    answers: list[float]
    missed: int
    cost: Cost
    log: list[events.Event]


async def converse(
    models: LocalModels, phrases: PhraseCache, questions: list[bytes], options: argparse.Namespace, stay: float = 0.0
) -> Result:
    """One call in which all questions are asked, one after the other. The caller stays a while after."""
    line, log = Line(), []
    quiet = asyncio.Event()

    def sink(event: events.Event) -> None:
        log.append(event)
        if isinstance(event, events.AgentTurn):
            quiet.set()

    spec = AgentSpec(
        name="Lakeside Dental",
        prompt=PROMPT,
        greeting=GREETING,
        voice=Voice(id=options.voice),
        phrases=Phrases(thinking=() if options.silent else THINKING),
    )
    services = Services(
        stt=[models.stt],
        voices=voice_chain([models.tts, models.light_tts], spec.voice),
        brain=llm_brain([ChatModel.of(models.llm, spec.model)]),
        vad=models.vad,
        end_of_turn=models.end_of_turn,
        pacer=Pacer(),
        phrases=phrases,
    )
    conversation = Conversation(call_id="bench", spec=spec, services=services, transport=line, sink=sink)
    call = asyncio.create_task(conversation.run())
    feeding = asyncio.create_task(line.run(conversation))
    waits, missed = [], 0
    await asyncio.wait_for(quiet.wait(), ANSWER_SECONDS)
    await asyncio.sleep(BREATH_SECONDS)
    before = Cost.now()
    for question in questions:
        quiet.clear()
        await line.play(question)
        try:
            await asyncio.wait_for(quiet.wait(), ANSWER_SECONDS)
        except TimeoutError:
            missed += 1
        if line.answered_at is not None:
            waits.append(line.answered_at - line.asked_at)
        await asyncio.sleep(BREATH_SECONDS)
    cost = Cost.now() - before
    await asyncio.sleep(stay)
    conversation.end(EndReason.CALLER)
    await call
    feeding.cancel()
    late = [found.total - found.first_sound for found in turn_latencies(log).values()]
    answers = [wait + more for wait, more in zip(waits, late, strict=False)]
    return Result(waits, answers, missed, cost, log)


async def word_errors(models: LocalModels) -> tuple[int, int]:
    """Wrong words and words in all of the recordings, played in real time through voice activity and recognition."""
    wrong = total = 0
    for name, transcript in recordings().items():
        said, heard = _words(transcript), _words(await recognise(models, read_wav(DATA / name)))
        wrong, total = wrong + _distance(said, heard), total + len(said)
    return wrong, total


async def recognise(models: LocalModels, pcm: bytes) -> str:
    said = ""
    answered = asyncio.Event()

    def take(transcript: Transcript) -> None:
        nonlocal said
        if transcript.final:
            said = transcript.text
            answered.set()

    stream = models.stt.open(language="en", on_transcript=take, on_error=lambda error: answered.set())
    watch = models.vad.open(
        lambda speaking, edge: stream.speech_started() if speaking else stream.speech_stopped(), start=0.128, stop=0.128
    )
    begun = time.monotonic()
    half = bytes(SAMPLE_RATE)
    for number, frame in enumerate(frames(half + pcm + 2 * half), 1):
        watch.feed(frame)
        stream.feed(frame)
        await asyncio.sleep(max(0.0, begun + number * FRAME_SECONDS - time.monotonic()))
        if watch.speaking:
            answered.clear()
    await asyncio.wait_for(answered.wait(), ANSWER_SECONDS)
    watch.close()
    stream.close()
    return said


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z']+", text.lower().replace("-", " "))


def _distance(said: list[str], heard: list[str]) -> int:
    row = list(range(len(heard) + 1))
    for i, word in enumerate(said, 1):
        diagonal, row[0] = row[0], i
        for j, other in enumerate(heard, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (word != other))
    return row[-1]


async def spoken(models: LocalModels, text: str) -> bytes:
    """`text` as the caller says it."""
    speech = models.tts.speak(text, voice=CALLER_VOICE, speed=1.0, language="en")
    return b"".join([audio.pcm async for audio in speech])


async def measure(socket: Path, options: argparse.Namespace) -> dict[str, float]:
    models = LocalModels(socket, options.models)
    await models.start()
    async with asyncio.timeout(START_SECONDS):
        while not (models.status.can_talk_locally and models.status.is_ready("tts")):  # noqa: ASYNC110
            await asyncio.sleep(0.2)
    questions = [await spoken(models, question) for question in QUESTIONS[: options.questions]]
    phrases = PhraseCache()
    first = await converse(models, phrases, questions[-1:], options, stay=PREPARING_SECONDS)
    result = await converse(models, phrases, questions * options.rounds, options)
    wrong, total = await word_errors(models)
    await models.close()
    if options.show:
        _show(result)
    turns = len(questions) * options.rounds
    others = result.cost.others_cores
    print(f"{turns} questions, {len(result.waits)} answered, {result.missed} not within {ANSWER_SECONDS:.0f} s.")
    print(f"Other programs used {others:.2f} cores meanwhile." + (" Measure again when it is quiet." * (others > 0.2)))
    p50, p95 = percentile(result.waits, 50), percentile(result.waits, 95)
    if first.waits:
        print(f"First answer ever to this agent's callers: {first.waits[0]:.2f} s.")
    print(f"End of speech to first audio: p50 {p50 or 0:.2f} s, p95 {p95 or 0:.2f} s.")
    answer50, answer95 = percentile(result.answers, 50), percentile(result.answers, 95)
    print(f"To the first sound of the answer itself: p50 {answer50 or 0:.2f} s, p95 {answer95 or 0:.2f} s.")
    print(f"Recognition of recorded speech: {wrong} of {total} words wrong ({wrong / total:.1%}).")
    cpu = (result.cost.own + result.cost.children) / turns
    print(f"CPU: {cpu:.2f} s a turn, all processes.")
    return {
        "first_audio_p50_s": round(p50 or 0, 3),
        "first_audio_p95_s": round(p95 or 0, 3),
        "first_answer_p50_s": round(answer50 or 0, 3),
        "first_answer_p95_s": round(answer95 or 0, 3),
        "wer": round(wrong / total, 4),
        "cpu_s_per_turn": round(cpu, 3),
    }


def _show(result: Result) -> None:
    """The conversation, and where the time of each turn went."""
    latencies = turn_latencies(result.log)
    for event in result.log:
        if isinstance(event, events.CallerTurn):
            print(f"  caller: {event.text}")
        elif isinstance(event, events.AgentTurn):
            print(f"  agent:  {event.text}")
            if parts := latencies.get(event.turn):
                print(
                    f"          {parts.total:.2f} s: end of turn {parts.end_of_turn:.2f}, STT {parts.stt:.2f}, "
                    f"LLM {parts.llm:.2f}, TTS {parts.tts:.2f}"
                )
        elif isinstance(event, events.ModelFinished) and event.input_tokens is not None:
            anew = event.input_tokens - (event.cached_tokens or 0)
            print(f"          model: {anew} of {event.input_tokens} tokens read anew, {event.output_tokens} written")
        elif isinstance(event, events.ProviderFailed):
            print(f"  failed: {event.error}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.loop", description="Measure the embedded loop.")
    parser.add_argument("--models", type=Path, default=DEFAULT_MODELS)
    parser.add_argument("--questions", type=int, default=len(QUESTIONS), help="how many different ones")
    parser.add_argument("--rounds", type=int, default=2, help="how often they are asked")
    parser.add_argument("--voice", default="af_heart", help="the agent's voice; 'joe' is the light one")
    parser.add_argument("--silent", action="store_true", help="the agent does not think aloud")
    parser.add_argument("--show", action="store_true", help="print the conversation")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="callwright-") as folder:
        socket = Path(folder) / "models.sock"
        command = [sys.executable, "-m", "voice.providers.local.server", "--socket", str(socket)]
        with subprocess.Popen([*command, "--models", str(options.models)]) as server:
            try:
                print(json.dumps(asyncio.run(measure(socket, options))))
            finally:
                server.terminate()


if __name__ == "__main__":
    main()
