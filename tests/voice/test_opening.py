"""How a call opens: who speaks first, what is disclosed, and a call that is refused."""

from __future__ import annotations

from typing import Any

import pytest

from tests.voice.fakes import FakeLlm, Speaks, agent, hold_call
from voice import events
from voice.brain import OPENING
from voice.spec import Disclosure

AI = "You speak with an AI."


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, ["Hello there."]),
        ({"disclosure": Disclosure(text=AI)}, [f"{AI} Hello there."]),
        ({"disclosure": Disclosure(text=AI, when="after_greeting")}, [f"Hello there. {AI}"]),
        ({"first_speaker": "caller"}, []),
        ({"first_speaker": "caller", "disclosure": Disclosure(text=AI)}, [AI]),
        ({"first_speaker": "model"}, ["Good day."]),
        ({"first_speaker": "model", "disclosure": Disclosure(text=AI)}, [AI, "Good day."]),
    ],
)
def test_the_first_words(settings: dict[str, Any], said: list[str]) -> None:
    call = hold_call(spec=agent(**settings), llm=FakeLlm("Good day."), ends_at=8.0)
    assert [text for _, text in call.transcript] == said


def test_a_model_that_speaks_first_is_told_so() -> None:
    llm = FakeLlm("Good day.", "From nine.")
    hold_call(Speaks(3.0, "When are you open?"), spec=agent(first_speaker="model"), llm=llm, ends_at=7.0)
    assert [asked[-1]["content"] for asked in llm.asked] == [OPENING, "When are you open?"]


@pytest.mark.parametrize("words", ["We are closed.", ""])
def test_a_call_that_is_refused_hears_why_and_is_over(words: str) -> None:
    call = hold_call(Speaks(1.0, "Hello?"), spec=agent(refusal=words), ends_at=9.0)
    assert [text for who, text in call.transcript if who == "agent"] == [words] * bool(words)
    assert (call.end.reason, call.all(events.CallerTurn)) == ("rejected", [])
