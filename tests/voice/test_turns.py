"""When the caller has finished, and what is an interruption: on the virtual clock."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from tests.voice.fakes import Caller, FakeEndOfTurn, FakeLlm, FakeStt, FakeVad, Result, Speaks, agent, hold_call
from voice import cues, events
from voice.clock import CallClock, run_virtual
from voice.media import FRAME_SECONDS, SILENCE
from voice.providers.base import ProviderError
from voice.spec import TurnTaking
from voice.turns import NoInterruption, Pause, TurnTaker, patience

LONG = "We are open from nine to five on weekdays. On Saturday we close at noon. On Sunday we are closed all day."
SETTINGS = TurnTaking(finished_silence=0.2, unfinished_silence=1.2)


def answer(greeting: str, *script: Speaks, probability: float = 0.99) -> Result:
    return hold_call(
        *script, spec=agent(greeting=greeting), end_of_turn=FakeEndOfTurn(probability), llm=FakeLlm("Thank you."),
        ends_at=12.0,
    )  # fmt: skip


def turns_of(call: Result) -> list[str]:
    return [turn.text for turn in call.all(events.CallerTurn)]


def waited(call: Result) -> float:
    """Seconds of silence after which the first turn was over."""
    turn = call.all(events.CallerTurn)[0]
    return float(turn.at - turn.ended)


# --- how long to wait


def test_the_less_sure_the_model_is_the_longer_is_the_wait() -> None:
    waits = [patience(Pause(probability), SETTINGS)[0] for probability in (0.95, 0.8, 0.5, 0.1, 0.0)]
    assert waits == sorted(waits)
    assert [waits[0], waits[-1]] == pytest.approx([0.2, 1.2])


def test_without_a_model_and_cues_silence_decides() -> None:
    wait, by = patience(Pause(None), SETTINGS)
    assert wait == pytest.approx(0.2)
    assert by == "silence"


def test_words_that_hang_outweigh_a_model_that_is_sure() -> None:
    wait, by = patience(Pause(0.99, "model", cue=cues.WORDS), SETTINGS)
    assert wait == pytest.approx(1.2)
    assert by == "words"


def test_a_number_so_far_is_waited_for_longer_than_any_other_pause() -> None:
    wait, by = patience(Pause(0.99, "model", cue=cues.NUMBER_SO_FAR), SETTINGS)
    assert wait > SETTINGS.unfinished_silence
    assert by == "digits"


def test_a_short_answer_is_quick_though_the_model_doubts_it() -> None:
    wait, by = patience(Pause(0.05, "model", cue=cues.ANSWER), SETTINGS)
    assert wait < 0.6
    assert by == "answer"


def test_the_recognisers_opinion_counts_where_the_words_leave_it_open() -> None:
    quick, by = patience(Pause(0.1, "model", turn_ended=True, cue=cues.STATEMENT), SETTINGS)
    slow, _ = patience(Pause(0.99, "model", turn_ended=False, cue=cues.STATEMENT), SETTINGS)
    hanging, _ = patience(Pause(0.99, "model", turn_ended=True, cue=cues.WORDS), SETTINGS)
    assert quick < 0.6 <= slow < hanging
    assert by == "stt"


def test_what_agrees_with_the_model_does_not_take_its_credit() -> None:
    assert patience(Pause(0.3, "model", cue=cues.COMMA), SETTINGS)[1] == "model"


# --- what the agent has asked for


def test_a_phone_number_in_groups_is_one_turn() -> None:
    call = answer(
        "What is your phone number?",
        Speaks(3.0, "four one five", 0.8), Speaks(5.0, "five five five", 0.8), Speaks(7.0, "zero one two three", 0.8),
    )  # fmt: skip
    assert turns_of(call) == ["four one five five five five zero one two three"]
    assert waited(call) < 0.5


def test_the_same_words_are_answered_sooner_where_no_number_was_asked_for() -> None:
    asked = answer("What is your phone number?", Speaks(3.0, "Room four one."))
    open_question = answer("How can I help you?", Speaks(3.0, "Room four one."))
    assert waited(asked) > 1.2 > 0.5 > waited(open_question)


def test_letters_that_are_spelled_are_one_turn() -> None:
    call = answer(
        "Could you spell that?", *(Speaks(3.0 + n, letter, 0.3) for n, letter in enumerate("T U R N".split()))
    )
    assert turns_of(call) == ["T U R N"]


def test_a_short_answer_to_yes_or_no_is_taken_at_once() -> None:
    assert waited(answer("Is that right?", Speaks(3.0, "Yes.", 0.4), probability=0.1)) < 0.6


def test_what_was_asked_before_an_interruption_still_counts() -> None:
    call = hold_call(
        Speaks(2.0, "I'd like to book."), Speaks(6.0, "wait four one five", 0.8), Speaks(8.2, "five five five", 0.8),
        llm=FakeLlm("What is your phone number? " + LONG), end_of_turn=FakeEndOfTurn(0.99), ends_at=12.0,
    )  # fmt: skip
    assert turns_of(call)[1] == "wait four one five five five five"


def test_a_language_that_is_not_read_is_left_to_the_voice() -> None:
    spec = agent(greeting="Wie geht es?", language="de")
    call = hold_call(Speaks(3.0, "ja an"), spec=spec, end_of_turn=FakeEndOfTurn(0.99), ends_at=6.0)
    assert waited(call) < 0.3
    assert [e.by for e in call.all(events.TurnDecision)] == ["fake-turn"]


def test_the_decision_says_what_it_is_due_to() -> None:
    call = answer("What is your phone number?", Speaks(3.0, "four one five"))
    decision = call.all(events.TurnDecision)[0]
    assert (decision.by, decision.verdict, decision.probability) == ("digits", "waiting", 0.99)


# --- answers that are begun before the turn is over


@pytest.mark.parametrize(
    ("greeting", "said"),
    [
        ("How can I help you?", "For Monday and"),
        ("How can I help you?", "Let me see"),
        ("What is your phone number?", "four one five"),
        ("Could you spell that?", "T U R"),
    ],
)
def test_no_answer_is_thought_up_while_more_must_come(greeting: str, said: str) -> None:
    asked = answer(greeting, Speaks(3.0, said)).all(events.ModelRequested)
    assert [request.speculative for request in asked] == [False]


def test_an_answer_is_thought_up_once_the_number_is_complete() -> None:
    call = hold_call(
        Speaks(3.0, "four one five"), Speaks(5.0, "five five five oh one two three"),
        spec=agent(greeting="What is your phone number?"), stt_delay=0.02, ends_at=9.0,
    )  # fmt: skip
    asked = call.all(events.ModelRequested)
    assert [request.speculative for request in asked] == [True]
    assert asked[0].messages[-1]["content"] == "four one five five five five oh one two three"


# --- what is no interruption


def test_the_agents_own_echo_does_not_cut_it_off_and_is_no_turn() -> None:
    call = hold_call(
        Speaks(2.0, "When are you open?"), Speaks(4.3, "We are open", 0.7), llm=FakeLlm(LONG), ends_at=16.0
    )
    assert call.transcript[-1] == ("agent", LONG)
    assert {e.reason for e in call.all(events.InterruptionIgnored)} == {"echo"}
    assert turns_of(call) == ["When are you open?"]


def test_half_a_word_does_not_interrupt() -> None:
    call = hold_call(Speaks(2.0, "When are you open?"), Speaks(4.3, "Yes o'er", 0.5), llm=FakeLlm(LONG), ends_at=5.0)
    cut = [turn for turn in call.all(events.AgentTurn) if turn.interrupted and turn.at < 4.8]
    assert cut == []


def test_yes_is_the_answer_when_the_agent_has_just_asked() -> None:
    call = hold_call(
        Speaks(2.0, "Tuesday."), Speaks(4.5, "Yes.", 0.4), llm=FakeLlm("Shall I book that?", "Done."), ends_at=9.0
    )
    assert turns_of(call) == ["Tuesday.", "Yes."]


@dataclass
class Ear:
    """Notes what a turn taker tells."""

    heard: list[tuple[str, str]] = field(default_factory=list)

    def speech_began(self, onset: float) -> None: ...

    def words_so_far(self, text: str) -> None: ...

    def maybe_finished(self, text: str) -> None: ...

    def finished(self, text: str, started: float, ended: float) -> None:
        self.heard.append(("turn", text))

    def nothing_said(self) -> None:
        self.heard.append(("nothing", ""))

    def no_interruption(self, text: str, reason: NoInterruption) -> None:
        self.heard.append((reason, text))

    def not_understood(self, error: ProviderError) -> None:
        raise error

    def deaf(self, error: ProviderError) -> None:
        raise error


def listen(*script: tuple[Speaks, int], saying: Callable[[float], str | None]) -> list[tuple[str, str]]:
    """What is made of speech whose samples have the value given; `saying` is the agent's words at a time."""

    async def run() -> list[tuple[str, str]]:
        ear, clock = Ear(), CallClock(asyncio.get_running_loop())
        turns = TurnTaker(
            settings=SETTINGS,
            language="en",
            stt=FakeStt(Caller([speech for speech, _ in script])),
            vad=FakeVad(),
            end_of_turn=FakeEndOfTurn(0.99),
            clock=clock,
            emit=lambda event: None,
            turn=lambda: 1,
            listener=ear,
            saying=lambda: saying(clock.now()),
        )
        for index in range(500):
            at = index * FRAME_SECONDS
            loud = next((level for said, level in script if said.at <= at < said.at + said.seconds), 0)
            turns.feed(loud.to_bytes(2, "little") * (len(SILENCE) // 2))
            await asyncio.sleep(max(0.0, at + FRAME_SECONDS - clock.now()))
        turns.close()
        return ear.heard

    return run_virtual(run())


def test_someone_farther_away_does_not_interrupt() -> None:
    heard = listen(
        (Speaks(1.0, "When are you open?"), 4000), (Speaks(4.0, "Dinner is ready."), 400),
        saying=lambda now: "From nine to five." if now > 3.0 else None,
    )  # fmt: skip
    assert heard == [("turn", "When are you open?"), ("background", "Dinner is ready.")]


def test_the_caller_may_speak_softly_when_it_is_their_turn() -> None:
    heard = listen((Speaks(1.0, "When are you open?"), 4000), (Speaks(4.0, "Hello?"), 400), saying=lambda now: None)
    assert heard == [("turn", "When are you open?"), ("turn", "Hello?")]


def test_the_caller_interrupts_a_little_softer_than_before() -> None:
    heard = listen(
        (Speaks(1.0, "When are you open?"), 4000), (Speaks(4.0, "And on Sunday?"), 2000),
        saying=lambda now: "From nine to five." if now > 3.0 else None,
    )  # fmt: skip
    assert heard == [("turn", "When are you open?"), ("turn", "And on Sunday?")]


def test_an_echo_that_outlasts_the_agents_words_is_no_turn() -> None:
    heard = listen(
        (Speaks(1.0, "from nine to five", 1.5), 400),
        saying=lambda now: "We are open from nine to five." if now < 1.5 else None,
    )  # fmt: skip
    assert heard == [("echo", "from nine to five")]
