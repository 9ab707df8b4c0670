"""Spoken claims of deeds: found by their grammar, believed by what the tools did."""

from __future__ import annotations

import pytest

from tests.voice.fakes import Answer, FakeLlm, Result, Speaks, agent, hold_call
from tests.voice.test_toolbox import Slow
from voice import events
from voice.conversation import EndReason
from voice.honesty import Deed, claims, doubtful
from voice.providers.base import ToolRequest

CLAIMS = """
I've booked you in for Friday at ten.
I have booked a table for two.
I just booked that for you.
Great, I've gone ahead and scheduled your visit for Monday.
Okay, I booked you a room for two nights.
I've reserved a table by the window.
We have rescheduled your appointment to Tuesday.
I've put you down for a cleaning on Friday.
I've made an appointment for you on Monday.
I've moved your appointment to three o'clock.
You're all set for Friday at ten!
You are all set.
Alright, you're booked for Friday.
Your appointment is confirmed for Monday at nine.
Your table for four is now reserved.
Your reservation has been confirmed.
The appointment has been scheduled.
It's booked, and you can come at ten.
Perfect, that's been cancelled for you.
Your appointment has been cancelled.
I've cancelled your reservation.
I canceled that order for you.
Your subscription is cancelled as of today.
I've sent you a confirmation email.
I have sent you the link by text message.
I've just emailed you the details.
I texted you the address.
A confirmation email has been sent to your inbox.
Your confirmation is on its way.
I've transferred you to billing.
I've put you through to Maria.
I've updated your phone number.
I have changed the delivery address for you.
Your address has been updated.
I've ordered the replacement part.
I've placed your order.
Your order has been placed.
I have refunded the full amount.
I've issued a refund of twenty dollars.
Your refund has been processed.
I've charged your card.
Your payment has been processed.
I've noted that you prefer mornings.
I've added your name to the list.
I've left a message for Doctor Smith.
I've created a ticket for you.
I've taken care of that for you.
I've saved your details, and somebody will call you back.
Sure, I\u2019ve booked it.
I've booked it, is there anything else?
""".strip().splitlines()

NO_CLAIMS = """
I can book that for you.
I could book you in for Friday.
Shall I book it?
Would you like me to book it?
I'll book that for you now.
I will send you an email.
I'm going to transfer you now.
Let me transfer you to billing.
I'm booking it now.
One moment while I book your appointment.
It has not been booked.
I haven't booked anything yet.
Your appointment hasn't been cancelled.
Your appointment is not confirmed yet.
I have not sent it.
I couldn't book that for you.
Nothing has been booked.
Once I've booked it, you will get an email.
As soon as your order is placed, we ship it.
If your appointment is cancelled, we call you.
After I've sent the link, please click it.
When your reservation has been confirmed, you get a text.
Your appointment will be confirmed by email.
Your refund is being processed.
Your order can be cancelled until noon.
Saturday is fully booked.
We are fully booked on Friday.
Have you booked with us before?
Is your appointment confirmed?
Has your order been placed?
Did I book the right day for you?
Should I have booked it for Friday?
I see that your appointment is confirmed for Monday.
It looks like your order has been cancelled.
You said you've booked a table.
You booked with us last year.
We have changed our opening time.
Your appointment is confirmed once we have the deposit.
Orders are placed by noon.
Your account was created last year.
I've worked here for a long time.
I have a table for two at seven.
I've got a free slot on Friday.
I have changed my mind.
I've checked, and we are open.
We made it through the winter.
We've moved to a new building.
To get booked, please tell me your name.
I'm sorry, I've sent nothing so far.
Thank you, I have your name and number.
You can get a refund within thirty days.
The office is closed on Sunday.
A deposit was required last year.
I'd have booked it for you otherwise.
That has been a long day.
Appointments are scheduled every half hour.
Everything is fine, thank you.
How are you set up at home?
I wish I had booked it.
""".strip().splitlines()


@pytest.mark.parametrize("sentence", CLAIMS)
def test_a_claim_is_found(sentence: str) -> None:
    assert claims(sentence)


@pytest.mark.parametrize("sentence", NO_CLAIMS)
def test_an_offer_a_plan_a_question_or_a_negation_is_no_claim(sentence: str) -> None:
    assert claims(sentence) == []


def test_only_the_sentence_that_claims_is_named() -> None:
    text = "Good news! I've booked you in for ten. Shall I send you an email?"
    assert [claim.sentence for claim in doubtful(text, [])] == ["I've booked you in for ten."]


@pytest.mark.parametrize(
    ("sentence", "deed"),
    [
        ("I've booked you in.", Deed("book_table", "", "ok")),
        ("I've booked you in.", Deed("createCalendarEvent", "", "ok")),
        ("I've booked you in.", Deed("run_workflow", "Schedules a visit.", "ok")),
        ("I've booked you in.", Deed("webhook_7", "", '{"status": "booked"}')),
        ("I've moved your appointment to Monday.", Deed("reschedule", "", "ok")),
        ("Your appointment is confirmed for Monday.", Deed("get_appointments", "", "Monday at 9")),
        ("I've sent you a link.", Deed("send_sms", "", "queued")),
        ("I've transferred you to billing.", Deed("transfer_call", "", "Transferring to billing.")),
        ("I've noted that.", Deed("save_lead", "", "ok")),
        ("You're all set for Friday!", Deed("book_table", "", "ok")),
    ],
)
def test_a_deed_of_its_kind_bears_a_claim_out(sentence: str, deed: Deed) -> None:
    assert doubtful(sentence, [deed]) == []


@pytest.mark.parametrize(
    ("sentence", "deed"),
    [
        ("I've booked you in.", Deed("get_weather", "Tells the weather.", "Sunny.")),
        ("I've sent you an email.", Deed("book_table", "Books a table.", "ok")),
        ("I've sent you an email.", Deed("send_digits", "Press keys.", "Pressed 1.")),
        ("You're all set for Friday!", Deed("getSlots", "Finds free times.", "10:00")),
        ("You're all set for Friday!", Deed("find_slots", "Finds free times.", "10:00")),
        ("I've booked you in.", Deed("book_table", "", '{"success": false, "reason": "taken"}')),
        ("I've booked you in.", Deed("book_table", "", "Error: no table is free")),
    ],
)
def test_another_deed_does_not(sentence: str, deed: Deed) -> None:
    assert [claim.sentence for claim in doubtful(sentence, [deed])] == [sentence]


# --- on a call

CLAIM = "I've booked you in for Friday."


def honest_call(mode: str, *answers: Answer, tools: tuple[Slow, ...] = (), ends_at: float = 20.0) -> Result:
    return hold_call(
        Speaks(2.0, "Book me in for Friday."),
        spec=agent(honesty=mode),
        llm=FakeLlm(*answers),
        tools=tools,
        ends_at=ends_at,
    )


BOOK = ToolRequest("t1", "book", "{}")


@pytest.mark.parametrize(("mode", "found"), [("off", []), ("flag", [(1, CLAIM, "noted")])])
def test_a_false_claim_is_noted_if_that_is_wanted(mode: str, found: list[object]) -> None:
    call = honest_call(mode, f"Sure! {CLAIM}", ends_at=9.0)
    assert [(e.turn, e.claim, e.then) for e in call.all(events.ClaimDoubted)] == found
    assert call.transcript[-1] == ("agent", f"Sure! {CLAIM}")


@pytest.mark.parametrize("mode", ["flag", "correct"])
def test_a_true_claim_is_believed(mode: str) -> None:
    call = honest_call(mode, BOOK, CLAIM, tools=(Slow("book"),), ends_at=9.0)
    assert call.all(events.ClaimDoubted) == []
    assert call.transcript[-1] == ("agent", CLAIM)


def test_a_false_claim_is_corrected_and_then_made_true() -> None:
    call = honest_call("correct", CLAIM, BOOK, "Now it is booked for Friday.", tools=(Slow("book"),), ends_at=16.0)
    assert [text for _, text in call.transcript[2:]] == [
        CLAIM,
        "Actually, let me correct that: it has not been done yet.",
        "Now it is booked for Friday.",
    ]
    assert [e.then for e in call.all(events.ClaimDoubted)] == ["corrected"]
    told = call.llm.asked[1]
    assert told[-1]["role"] == "user"
    assert CLAIM in told[-1]["content"]


def test_a_model_that_insists_is_corrected_once_a_turn() -> None:
    call = honest_call("correct", CLAIM, ends_at=30.0)
    assert [e.then for e in call.all(events.ClaimDoubted)] == ["corrected", "noted"]


def test_nobody_is_hung_up_on_with_a_false_claim() -> None:
    call = honest_call(
        "correct", [f"{CLAIM} Goodbye!", ToolRequest("t2", "end_call", "{}")], "I could not book it.", ends_at=16.0
    )
    assert call.transcript[-1] == ("agent", "I could not book it.")
    assert call.end.reason == EndReason.CALLER
