"""Guardrails: what callers may not talk about with an agent, and what it never says."""

from __future__ import annotations

import pytest

from tests.voice.fakes import FakeLlm, Speaks, agent, hold_call
from voice import events
from voice.guardrails import Guard, instructed
from voice.spec import Guardrails

RULES = Guardrails(topics=("medical advice", "politics"), refusal="Not about that.", never_say=("money back", "Acme"))


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("Give me some Medical advice.", "medical advice"),
        ("What about politic?", "politics"),
        ("That is impolitic.", ""),
        ("Is there medical or other advice?", ""),
    ],
)
def test_a_caller_who_names_a_topic_is_noticed(text: str, topic: str) -> None:
    assert Guard(RULES).refuses(text) == topic


@pytest.mark.parametrize(
    ("text", "said", "found"),
    [
        ("You get your money  back, sure.", "You get your, sure.", ["money back"]),
        ("ACME is not Acmeville.", "is not Acmeville.", ["ACME"]),
        ("Nothing of that.", "Nothing of that.", []),
    ],
)
def test_what_is_never_said_is_left_out(text: str, said: str, found: list[str]) -> None:
    text = " ".join(text.split())
    assert Guard(RULES).cleaned(text) == (said, found)


def test_the_prompt_tells_the_topics() -> None:
    assert "medical advice; politics" in instructed("You are Ada.", RULES)
    assert instructed("You are Ada.", Guardrails()) == "You are Ada."


def test_a_refused_topic_is_refused_without_asking_the_model() -> None:
    llm = FakeLlm("From nine to five.")
    call = hold_call(
        Speaks(2.0, "What do you think about politics?"),
        Speaks(6.0, "When are you open?"),
        spec=agent(guardrails=RULES),
        llm=llm,
        ends_at=10.0,
    )
    assert ("agent", "Not about that.") in call.transcript
    assert call.transcript[-1] == ("agent", "From nine to five.")
    assert [(e.kind, e.rule, e.then) for e in call.all(events.GuardrailApplied)] == [("topic", "politics", "refused")]
    assert {asked[-1]["content"] for asked in llm.asked} == {"When are you open?"}
    assert {"role": "assistant", "content": "Not about that."} in llm.asked[-1]


def test_what_is_never_said_is_not_spoken_though_it_comes_in_pieces() -> None:
    long = "Of course, that is no problem at all, you will certainly get all of your money back from us at once."
    rules = Guardrails(never_say=("money back",), instead="refund")
    call = hold_call(Speaks(2.0, "Is it good?"), spec=agent(guardrails=rules), llm=FakeLlm(long, token=0.1))
    spoken = " ".join(e.text for e in call.all(events.SpeechRequested))
    assert "your refund from us" in spoken
    assert "money" not in spoken
    assert [(e.rule, e.then) for e in call.all(events.GuardrailApplied)] == [("money back", "replaced")]
