"""What a call can do besides talking: keys, transfers, hand-offs, machines that answer, rooms, and lines that die."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.voice.fakes import (
    SPEECH,
    FakeLlm,
    FakeStt,
    FakeSttStream,
    FakeTts,
    FallsSilent,
    FarEnd,
    Presses,
    Sends,
    Speaks,
    Step,
    Types,
    agent,
    chat_model,
    hold_call,
)
from voice import events
from voice.brain import llm_brain
from voice.conversation import EndReason
from voice.media import SILENCE
from voice.media.ambient import Bed, bed
from voice.media.dtmf import tones
from voice.providers.base import Audio, ProviderError, ToolRequest
from voice.services import Member, Services
from voice.spec import (
    Ambient,
    Answering,
    Digits,
    HandOffTarget,
    Languages,
    Phrases,
    Pronunciation,
    Recording,
    TransferTarget,
    TurnTaking,
    Voice,
)
from voice.speech import VoiceService

OFFER = "Please key in your customer number, and press the hash key."


# --- keys


def test_keys_become_a_turn_once_the_entry_is_whole() -> None:
    llm = FakeLlm("Thank you.")
    call = hold_call(Presses(3.0, "4711#"), llm=llm, ends_at=9.0)
    assert [e.digit for e in call.all(events.DigitPressed)] == list("4711#")
    assert call.all(events.CallerTurn)[0].source == "keypad"
    assert llm.asked[-1][-1]["content"] == "[keyed in: 4711]"
    assert call.transcript[-1] == ("agent", "Thank you.")


def test_the_first_key_silences_the_agent() -> None:
    call = hold_call(Presses(1.0, "1#"), spec=agent(greeting=OFFER), ends_at=8.0)
    assert call.all(events.AgentTurn)[0].interrupted
    assert min(call.far_end.clears) == pytest.approx(1.0, abs=0.03)


def test_an_entry_without_a_terminator_ends_after_a_pause() -> None:
    spec = agent(digits=Digits(terminator="", pause=1.5))
    call = hold_call(Presses(3.0, "42"), spec=spec, ends_at=9.0)
    turn = call.all(events.CallerTurn)[0]
    assert turn.text == "[keyed in: 42]"
    assert turn.at == pytest.approx(3.2 + 1.5, abs=0.05)


def test_the_agent_presses_keys_as_tones_where_the_line_knows_no_others() -> None:
    llm = FakeLlm([ToolRequest("t1", "send_digits", '{"digits": "12"}')], "Done.")
    call = hold_call(Speaks(3.0, "Press one two."), llm=llm, spec=agent(can_send_digits=True), ends_at=9.0)
    assert [e.digits for e in call.all(events.DigitsSent)] == ["12"]
    sent = b"".join(call.far_end.audio)
    assert tones("12")[:3200] in sent


# --- transfers and hand-offs

SALES = (TransferTarget(name="sales", to="+14155550100", when="They want to buy."),)
TO_SALES: list[str | ToolRequest | Exception] = [
    "I'll put you through.",
    ToolRequest("t1", "transfer_call", '{"to": "sales"}'),
]


def test_the_caller_is_transferred_when_all_is_said() -> None:
    call = hold_call(Speaks(3.0, "Sales please."), llm=FakeLlm(TO_SALES), spec=agent(transfers=SALES))
    assert [to.address for to in call.far_end.transferred] == ["+14155550100"]
    assert call.end.reason == EndReason.TRANSFERRED
    assert call.transcript[-1] == ("agent", "I'll put you through.")
    assert call.all(events.TransferFinished)[0].outcome == "transferred"


def test_a_caller_whom_nobody_takes_comes_back() -> None:
    far_end = FarEnd(transfer_fails="Busy.")
    call = hold_call(
        Speaks(3.0, "Sales please."),
        llm=FakeLlm(TO_SALES),
        spec=agent(transfers=SALES),
        far_end=far_end,
        ends_at=12.0,
    )
    assert call.transcript[-1][1].startswith("I'm sorry, I couldn't reach anybody")
    assert (call.all(events.TransferFinished)[0].detail, call.end.reason) == ("Busy.", EndReason.CALLER)


def test_a_transfer_to_somebody_unknown_is_told_to_the_model() -> None:
    llm = FakeLlm(ToolRequest("t1", "transfer_call", '{"to": "boss"}'), "Nobody of that name is here.")
    call = hold_call(Speaks(3.0, "The boss please."), llm=llm, spec=agent(transfers=SALES), ends_at=9.0)
    assert "'boss' is not one of ['sales']" in llm.asked[-1][-1]["content"]
    assert call.far_end.transferred == []


def test_another_agent_goes_on_with_its_own_voice_and_the_words_so_far() -> None:
    billing, voice = FakeLlm("Your bill is due on Friday."), FakeTts("billing-voice")
    team = {}

    def services(shared: Services) -> Services:
        team["billing"] = Member(
            spec=agent(name="Bill", prompt="You are Bill.", greeting="Billing here."),
            services=replace(
                shared, brain=llm_brain([chat_model(billing)]), voices=[VoiceService(tts=voice, voice=Voice())]
            ),
        )
        return replace(shared, team=team)

    llm = FakeLlm([ToolRequest("t1", "hand_off", '{"to": "billing", "message": "They ask for their bill."}')])
    call = hold_call(
        Speaks(3.0, "My bill please."),
        Speaks(7.0, "When is it due?"),
        llm=llm,
        spec=agent(handoffs=(HandOffTarget(name="billing"),)),
        change=services,
        ends_at=14.0,
    )
    assert call.all(events.AgentSwitched)[0].agent == "Bill"
    assert call.transcript[-3:] == [
        ("agent", "Billing here."),
        ("caller", "When is it due?"),
        ("agent", "Your bill is due on Friday."),
    ]
    told = billing.asked[-1]
    assert told[0]["content"] == "You are Bill."
    assert any("My bill please. [They ask for their bill.]" in message["content"] for message in told)
    assert "Billing here." in voice.spoken


def test_a_silent_hand_over_goes_on_with_the_conversation() -> None:
    billing = FakeLlm("Your bill is due on Friday.")

    def services(shared: Services) -> Services:
        other = replace(shared, brain=llm_brain([chat_model(billing)]))
        return replace(shared, team={"agent_2": Member(spec=agent(name="Bill", greeting="Billing."), services=other)})

    target = HandOffTarget(name="Bill", to="agent_2", when="They ask for a bill.", say="One moment.", greets=False)
    llm = FakeLlm([ToolRequest("t1", "hand_off", '{"to": "Bill"}')])
    call = hold_call(
        Speaks(3.0, "My bill please."), llm=llm, spec=agent(handoffs=(target,)), change=services, ends_at=14.0
    )
    assert [text for _, text in call.transcript[2:]] == ["One moment.", "Your bill is due on Friday."]
    assert "Bill: They ask for a bill." in next(tool for tool in llm.tools[0] if tool.name == "hand_off").description


# --- listening


def test_the_agent_shows_that_it_listens_to_callers_who_speak_for_long() -> None:
    story = [Speaks(1.0 + 2.0 * n, f"and then part {n} of it and", 1.6) for n in range(5)]
    spec = agent(greeting="", turns=TurnTaking(backchannel=True))
    call = hold_call(*story, spec=spec, llm=FakeLlm("I see."), ends_at=16.0)
    (nod,) = call.all(events.AgentBackchannel)
    assert 6.0 < nod.at < 10.0
    assert any(nod.at <= at < nod.at + 0.5 for at in call.far_end.sent_at)
    assert [who for who, _ in call.transcript] == ["caller", "agent"]
    silent = hold_call(*story, spec=agent(greeting=""), llm=FakeLlm("I see."), ends_at=16.0)
    assert not silent.all(events.AgentBackchannel)


def test_a_slow_answer_is_bridged_by_what_people_say_while_they_think() -> None:
    spec = agent(greeting="", phrases=Phrases(thinking=("Let me see.",)), thinking_after=0.5)
    call = hold_call(Speaks(2.0, "When?"), spec=spec, llm=FakeLlm("At nine.", first=1.5), ends_at=9.0)
    (thought,) = call.all(events.AgentHesitated)
    asked = call.all(events.CallerTurn)[0]
    assert thought.at == pytest.approx(asked.at + 0.5, abs=0.03)
    assert any(thought.at <= at < thought.at + 0.1 for at in call.far_end.sent_at)
    assert call.transcript == [("caller", "When?"), ("agent", "Let me see. At nine.")]
    assert not call.all(events.ProviderSlow)


def test_an_answer_that_is_there_in_time_is_not_kept_waiting() -> None:
    spec = agent(greeting="", phrases=Phrases(thinking=("Let me see.",)), thinking_after=0.5)
    call = hold_call(Speaks(2.0, "When?"), spec=spec, llm=FakeLlm("At nine.", first=0.2), ends_at=9.0)
    assert call.transcript[-1] == ("agent", "At nine.")
    assert not call.all(events.AgentHesitated)


def test_who_thinks_aloud_is_slow_when_the_answer_is_and_the_model_reads_its_own_words_only() -> None:
    llm = FakeLlm("At nine.", "Yes.", first=6.0)
    spec = agent(greeting="", phrases=Phrases(thinking=("Let me see.",)))
    story = [Speaks(2.0, "When?"), Speaks(14.0, "Sure?")]
    call = hold_call(*story, spec=spec, llm=llm, ends_at=24.0)
    assert call.transcript[1] == ("agent", "Let me see. One moment, please. At nine.")
    (first, *_) = call.all(events.ProviderSlow)
    assert first.waited == pytest.approx(2.5, abs=0.05)
    assert {"role": "assistant", "content": "At nine."} in llm.asked[-1]


@pytest.mark.parametrize(("dictation", "turns"), [(1.0, 2), (3.0, 1)])
def test_callers_who_dictate_are_given_longer_pauses(dictation: float, turns: int) -> None:
    spec = agent(greeting="What is your phone number?", turns=TurnTaking(dictation=dictation))
    call = hold_call(Speaks(3.0, "five five five"), Speaks(6.5, "zero one two three"), spec=spec, ends_at=14.0)
    assert len(call.all(events.CallerTurn)) == turns


def test_a_recogniser_that_detects_the_language_is_told_none() -> None:
    told: list[str] = []

    class Ear(FakeStt):
        def open(self, *, language: str, **more: Any) -> FakeSttStream:
            told.append(language)
            return super().open(language=language, **more)

    spanish = Languages(voices={"es": Voice(id="ef_dora")}, detect=True)
    llm = FakeLlm([ToolRequest("t1", "switch_language", '{"language": "es"}')], "Hola.")

    def detecting(shared: Services) -> Services:
        (ear,) = shared.stt
        assert isinstance(ear, FakeStt)
        return replace(shared, stt=[Ear(ear.caller)])

    call = hold_call(Speaks(3.0, "Hola?"), llm=llm, spec=agent(languages=spanish), change=detecting, ends_at=9.0)
    assert told == [""]
    assert [e.voice for e in call.all(events.SpeechRequested)][-1] == "ef_dora"


def test_the_recogniser_hears_the_caller_through_the_filter() -> None:
    def heard(level: str) -> list[bytes]:
        frames: list[bytes] = []

        class Stream(FakeSttStream):
            def feed(self, frame: bytes) -> None:
                frames.append(frame)

        class Ear(FakeStt):
            def open(self, *, language: str, on_transcript: Any, on_error: Any, **more: Any) -> FakeSttStream:
                return Stream(self, on_transcript, on_error)

        def filtered(shared: Services) -> Services:
            (ear,) = shared.stt
            assert isinstance(ear, FakeStt)
            return replace(shared, stt=[Ear(ear.caller)])

        spec = agent(greeting="", noise_suppression=level)
        hold_call(Speaks(1.0, "Hello?"), spec=spec, change=filtered, ends_at=3.0)
        return frames

    # Its windows overlap, so that all comes out a frame later.
    assert heard("max").index(SPEECH) == heard("off").index(SPEECH) + 1


def test_the_language_changes_with_its_voice_and_its_recognition() -> None:
    spec = agent(languages=Languages(voices={"es": Voice(id="ef_dora")}))
    llm = FakeLlm(ToolRequest("t1", "switch_language", '{"language": "es"}'), "Claro que sí.")
    tts = FakeTts()
    call = hold_call(Speaks(3.0, "Habla español?"), llm=llm, spec=spec, tts=tts, ends_at=9.0)
    assert call.all(events.SettingChanged)[0].value == "es"
    assert [(e.voice, e.text) for e in call.all(events.SpeechRequested)][-1] == ("ef_dora", "Claro que sí.")


# --- who answers an outbound call


def test_nobody_is_greeted_before_a_person_has_answered() -> None:
    spec = agent(answering=Answering(detect=True), greeting="Hello, this is Ada.")
    call = hold_call(Speaks(1.0, "Hello?", seconds=0.6), spec=spec, ends_at=8.0)
    assert call.all(events.MachineJudged)[0].verdict == "human"
    assert call.all(events.AgentSpeechStarted)[0].at > 1.6
    assert call.transcript == [("agent", "Hello, this is Ada.")]


def test_a_machine_is_left_the_message_when_it_has_finished() -> None:
    spec = agent(answering=Answering(detect=True, message="Please call us back."))
    words = "You have reached the Smiths. Please leave a message after the tone."
    call = hold_call(Speaks(1.0, words, seconds=5.0), spec=spec)
    assert call.all(events.MachineJudged)[-1].verdict == "machine_voicemail"
    assert call.transcript == [("agent", "Please call us back.")]
    assert call.all(events.AgentSpeechStarted)[0].at > 6.0
    assert call.end.reason == EndReason.VOICEMAIL


def test_a_menu_is_talked_to() -> None:
    spec = agent(answering=Answering(detect=True), can_send_digits=True)
    llm = FakeLlm(ToolRequest("t1", "send_digits", '{"digits": "1"}'), "Waiting.")
    call = hold_call(
        Speaks(1.0, "Thank you for calling. For sales press one. For support press two.", seconds=5.0),
        Speaks(8.0, "Please choose now.", seconds=1.0),
        spec=spec,
        llm=llm,
        ends_at=14.0,
    )
    assert call.all(events.MachineJudged)[-1].verdict == "machine_ivr"
    assert [e.digits for e in call.all(events.DigitsSent)]


# --- rooms and recordings


async def at_once(name: str) -> Bed:
    """There are no threads in virtual time."""
    return bed(name)


def test_the_room_is_heard_while_nobody_speaks() -> None:
    def quiet(spec_changes: dict[str, object]) -> float:
        call = hold_call(spec=agent(greeting="", **spec_changes), find_bed=at_once, ends_at=4.0)
        return float(np.abs(np.frombuffer(b"".join(call.far_end.audio[-50:]) or SILENCE, "<i2")).mean())

    assert quiet({}) == 0.0
    assert quiet({"ambient": Ambient(bed="office", volume=0.5)}) > 0.0


@pytest.mark.parametrize(("duck", "left"), [(1.0, 1000), (0.5, 500), (0.0, 0)])
def test_the_room_gives_way_to_the_agent_as_far_as_it_is_told(duck: float, left: int) -> None:
    async def hum(name: str) -> Bed:
        return Bed(name, np.full(16_000, 1000, np.int16))

    spec = agent(greeting=OFFER, ambient=Ambient(bed="bed_1", volume=1.0, duck=duck))
    call = hold_call(spec=spec, find_bed=hum, ends_at=3.0)
    # The fake voice is a steady 2.
    assert np.frombuffer(call.far_end.audio[75], "<i2").tolist() == [left + 2] * 320


def test_a_room_that_cannot_be_found_does_not_stop_the_call() -> None:
    async def gone(name: str) -> Bed:
        raise KeyError(name)

    call = hold_call(spec=agent(greeting=OFFER, ambient=Ambient(bed="bed_gone")), find_bed=gone, ends_at=6.0)
    assert call.transcript == [("agent", OFFER)]
    assert call.end.reason == EndReason.CALLER


def test_a_voice_is_as_loud_as_it_was_set() -> None:
    def loudest(volume: float) -> int:
        service = VoiceService(tts=FakeTts(), voice=Voice(volume=volume))
        call = hold_call(spec=agent(greeting=OFFER), voices=[service], ends_at=3.0)
        return int(np.frombuffer(b"".join(call.far_end.audio), "<i2").max())

    assert (loudest(1.0), loudest(2.0), loudest(0.5)) == (2, 4, 1)


def test_a_voice_is_as_fast_as_it_was_set() -> None:
    speeds: set[float] = set()

    class Voiced(FakeTts):
        def speak(self, text: str, *, voice: str, speed: float, language: str) -> AsyncIterator[Audio]:
            speeds.add(speed)
            return super().speak(text, voice=voice, speed=speed, language=language)

    def faster(shared: Services) -> Services:
        return replace(shared, voices=[VoiceService(tts=Voiced(), voice=Voice(speed=1.5))])

    hold_call(change=faster, ends_at=3.0)
    assert speeds == {1.5}


def test_nothing_is_recorded_before_the_caller_was_told() -> None:
    spec = agent(recording=Recording(announcement="This call is recorded."), greeting="Hello.")
    call = hold_call(spec=spec, ends_at=8.0)
    assert call.transcript == [("agent", "This call is recorded."), ("agent", "Hello.")]


# --- messages


def test_the_application_of_the_caller_is_told_and_answers() -> None:
    call = hold_call(
        Sends(3.0, {"context": "The caller looks at invoice 7."}), Speaks(4.0, "What is this?"), ends_at=9.0
    )
    assert call.all(events.ClientMessage)[0].data == {"context": "The caller looks at invoice 7."}
    assert "invoice 7" in str(call.llm.asked[-1])


# --- lines that die


def test_a_line_on_which_nothing_arrives_any_more_is_given_up() -> None:
    call = hold_call(FallsSilent(3.0))
    slow = [e for e in call.all(events.ProviderSlow) if e.role == "transport"]
    assert len(slow) == 1
    assert call.end.reason == EndReason.NO_AUDIO
    assert call.end.at < 3.0 + 4 * 5.0


def test_who_may_type_is_missed_on_the_line_only_once_they_were_heard() -> None:
    def noticed(*script: Step, may_type: bool) -> bool:
        call = hold_call(*script, far_end=FarEnd(may_type=may_type), ends_at=12.0)
        return any(event.role == "transport" for event in call.all(events.ProviderSlow))

    assert not noticed(FallsSilent(0.0), Types(1.0, "Hello?"), may_type=True)
    assert noticed(FallsSilent(3.0), Types(4.0, "Hello?"), may_type=True)
    assert noticed(FallsSilent(0.0), may_type=False)


def test_a_far_end_that_is_gone_ends_the_call() -> None:
    call = hold_call(far_end=FarEnd(breaks_at=0.5), spec=agent(greeting=OFFER))
    assert (call.end.reason, call.tasks_left) == (EndReason.CONNECTION_LOST, [])
    assert call.end.at < 1.0


# --- chains


def test_the_next_model_answers_when_the_first_is_silent() -> None:
    call = hold_call(
        Speaks(2.0, "Hello?"), llm=FakeLlm("Too late.", first=60.0), models=[FakeLlm("Here I am.")], ends_at=20.0
    )
    assert call.transcript[-1] == ("agent", "One moment, please. Here I am.")
    failed = call.all(events.ProviderFailed)[0]
    assert (failed.role, failed.then) == ("llm", "asking fake-llm")
    assert [e.finish for e in call.all(events.ModelFinished)] == ["too_slow", "stop"]


def test_a_model_that_may_work_the_second_time_is_asked_again() -> None:
    broken = ProviderError("fake-llm", "It hiccuped.", retryable=True)
    call = hold_call(Speaks(2.0, "Hello?"), llm=FakeLlm(broken, "Here I am."), ends_at=8.0)
    assert call.transcript[-1] == ("agent", "Here I am.")
    assert call.all(events.ProviderFailed)[0].then == "asking fake-llm again"


def test_two_models_race_and_both_are_told() -> None:
    call = hold_call(
        Speaks(2.0, "Hello?"),
        llm=FakeLlm("Slow words.", first=3.0),
        models=[FakeLlm("Quick words.", first=0.1)],
        spec=agent(hedge_after=0.3),
        ends_at=9.0,
    )
    assert call.transcript[-1] == ("agent", "Quick words.")
    assert sorted(e.finish for e in call.all(events.ModelFinished)) == ["lost_race", "stop"]
    assert call.llm.streaming == 0


def test_the_next_recogniser_hears_the_turn_from_its_start() -> None:
    call = hold_call(
        Speaks(2.0, "When are you open?", failure="It broke."), spare_stt=True, llm=FakeLlm("At nine."), ends_at=9.0
    )
    assert call.transcript[1:] == [("caller", "When are you open?"), ("agent", "At nine.")]
    assert call.all(events.ProviderFailed)[0].then == "listening with spare-stt"


def test_the_next_voice_says_the_rest_when_the_first_breaks_off() -> None:
    words = "We are open from nine to five on every day of the week."
    spare = FakeTts("spare")
    call = hold_call(
        Speaks(2.0, "When?"),
        llm=FakeLlm(words),
        tts=FakeTts(failure="Lost.", fails_after=8),
        spare_tts=spare,
        spec=agent(greeting=""),
        ends_at=14.0,
    )
    assert call.transcript[-1] == ("agent", words)
    assert words.find(spare.spoken[0]) > 0


# --- pronunciations


def test_a_voice_is_given_what_the_dictionary_says_and_the_caller_reads_the_words() -> None:
    spec = agent(
        greeting="Hello from Nguyen and Sons.",
        pronunciations=(Pronunciation(text="Nguyen and Sons", alias="win and sons", ipa="wən ænd sʌnz"),),
    )
    tts = FakeTts()
    call = hold_call(spec=spec, tts=tts, ends_at=5.0)
    assert tts.spoken[0] == "Hello from win and sons."
    assert call.transcript[0] == ("agent", "Hello from Nguyen and Sons.")
    asked = call.all(events.SpeechRequested)[0]
    assert (asked.text, asked.spoken) == ("Hello from Nguyen and Sons.", "Hello from win and sons.")


def test_a_voice_that_takes_ipa_is_given_it() -> None:
    spec = agent(greeting="Hello from Nguyen.", pronunciations=(Pronunciation(text="Nguyen", ipa="wən"),))
    tts = FakeTts()
    tts.phonemes = "inline"  # type: ignore[attr-defined]
    hold_call(spec=spec, tts=tts, ends_at=5.0)
    assert tts.spoken[0] == "Hello from [Nguyen](/wən/)."


@pytest.mark.parametrize("again_at", [6.1, 7.2])
def test_the_model_never_reads_the_phrase_that_bridged_its_silence(again_at: float) -> None:
    llm = FakeLlm("Too late for that.", first=8.0)
    call = hold_call(
        Speaks(2.0, "When are you open?"), Speaks(again_at, "Hello, are you there?"), llm=llm, ends_at=24.0
    )
    assert "One" in call.transcript[2][1]
    assert "One" not in str(llm.asked[-1][1:])
    assert "moment" not in str(llm.asked[-1])


# --- what was heard


class MarkingFarEnd(FarEnd):
    """Buffers far more than it says, and tells by marks what it has played."""

    marks = True
    late = 1.0

    def mark(self, number: int) -> None:
        asyncio.get_running_loop().call_later(self.late, lambda: self.on_mark(number))


def test_words_count_as_heard_when_the_far_end_says_that_it_has_played_them() -> None:
    words = "We are open from nine to five on every single day of the whole week."

    def heard(far_end: FarEnd) -> int:
        call = hold_call(
            Speaks(2.0, "When?"), Speaks(6.0, "Thank you, goodbye."), llm=FakeLlm(words), far_end=far_end, ends_at=9.0
        )
        return len(next(line for who, line in call.transcript if line.startswith("We")).split("|")[0].split())

    assert 1 < heard(MarkingFarEnd()) < heard(FarEnd()) - 1
