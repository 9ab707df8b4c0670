"""How well the local language model answers callers: `python -m benchmarks.answers [--rounds N] [--show]`.

Three dental practices are asked what their agents' prompts say, in words as a recogniser hears them. An answer is right
when the fact is in it, and turned down when it is the phrase by which the model, which was taught to help programmers,
gets rid of other questions. Beside it stands the same model with the prompt alone: the difference is what the
instructions for hanging up cost. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.loop import GREETING, PROMPT
from builder.starters import RECEPTIONIST
from voice.providers.base import Message, ToolSchema
from voice.providers.local.fetch import DEFAULT_MODELS
from voice.providers.local.markers import rendered
from voice.providers.local.models.qwen import Qwen
from voice.spec import Model
from voice.tools.end_call import EndCallTool

ROBIN = (
    "You are Robin, the receptionist of Bluebird Dental. Answer in one short sentence. On weekdays the practice is "
    "open from eight to six. On Saturdays it is open from ten to two. On Sundays it is closed. "
    "A check-up costs ninety dollars."
)
CLOSED = r"closed|not open|n't open|\bno\b"
TURNED_DOWN = re.compile(r"(can't|cannot|unable to) (assist|help)|as an ai\b|language model|don't have access", re.I)
LONGEST = 60


@dataclass(frozen=True, slots=True)
class Practice:
    """`asked` are questions, and what is in a right answer."""

    prompt: str
    greeting: str
    asked: tuple[tuple[str, str], ...]


PRACTICES = (
    Practice(
        ROBIN,
        "Hello, this is Bluebird Dental.",
        (
            ("And what times you open on Saturday,", r"\bten\b|\b10\b"),
            ("At what time do you open on Saturdays?", r"\bten\b|\b10\b"),
            ("And what does a check-up cost?", r"ninety|90"),
            ("are you open on sunday", CLOSED),
            ("When do you open on weekdays?", r"eight|\b8\b"),
            ("What times are you open on Monday,", r"eight|\b8\b"),
            ("Hi, uh, how much for a check up?", r"ninety|90"),
            ("And when do you close on Saturday?", r"\btwo\b|\b2\b"),
        ),
    ),
    Practice(
        PROMPT,
        GREETING,
        (
            ("When are you open on Saturday?", r"\b9|nine"),
            ("How much is a cleaning?", r"120|hundred (and )?twenty"),
            ("Do you take Cigna?", r"\byes\b|we do|take|accept"),
            ("Where can I park my car?", r"behind"),
            ("What is your address, please?", r"(12|twelve) main"),
            ("Are you open on Sunday?", CLOSED),
            ("How much does whitening cost?", r"350|three hundred"),
            ("Which doctors work at your practice?", r"lee.*patel"),
        ),
    ),
    Practice(
        RECEPTIONIST.config.prompt,
        RECEPTIONIST.config.greeting,
        (
            ("What does a cleaning cost?", r"120|hundred (and )?twenty"),
            ("Are you open on Friday afternoon?", r"\b2\b|two|close"),
            ("What times are you open on Saturday?", CLOSED),
            ("Where are you?", r"harbor street|library"),
            ("Do you do implants?", r"\bno\b|not|n't"),
            ("Which insurance do you take,", r"delta.*cigna"),
            ("How much is a filling", r"150|hundred (and )?fifty"),
        ),
    ),
)


@dataclass
class Score:
    asked: int = 0
    right: int = 0
    turned_down: int = 0


def score(model: Qwen, tools: Sequence[ToolSchema], *, rounds: int, show: bool) -> Score:
    found = Score()
    for practice in PRACTICES:
        opening: list[Message] = [
            {"role": "system", "content": practice.prompt},
            {"role": "assistant", "content": practice.greeting},
        ]
        for question, fact in practice.asked * rounds:
            answer = _answer(model, rendered([*opening, {"role": "user", "content": question}], tools))
            turned_down = bool(TURNED_DOWN.search(answer))
            right = not turned_down and bool(re.search(fact, answer, re.IGNORECASE))
            found.asked += 1
            found.right += right
            found.turned_down += turned_down
            if show and not right:
                print(f"  {question} -> {answer}", flush=True)
    return found


def _answer(model: Qwen, messages: Sequence[Message]) -> str:
    pieces: list[str] = []
    model.chat(
        messages,
        temperature=Model().temperature,
        max_tokens=LONGEST,
        extra={},
        on_text=pieces.append,
        stop=lambda: False,
    )
    return "".join(pieces)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=Path, default=DEFAULT_MODELS)
    parser.add_argument("--rounds", type=int, default=3, help="how often each is asked")
    parser.add_argument("--show", action="store_true", help="print the answers that are not right")
    options = parser.parse_args()
    model = Qwen(options.models)
    figures = {}
    for name, tools in (("as in a call", [EndCallTool().schema]), ("the prompt alone", [])):
        found = score(model, tools, rounds=options.rounds, show=options.show)
        print(f"{name}: {found.right} of {found.asked} right, {found.turned_down} turned down", flush=True)
        figures[name] = round(found.right / found.asked, 3)
    model.close()
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
