from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from telephony import browser
from telephony.browser import BrowserTransport, Outbox
from tests.voice.fakes import FallsSilent, FarEnd, Types, hold_call
from voice import events
from voice.media import SILENCE
from voice.transport import Destination


class Socket:
    """Takes what an outbox sends; while it is `stuck`, only one message."""

    def __init__(self, *, stuck: bool = False) -> None:
        self.sent: list[Any] = []
        self.free = asyncio.Event()
        if not stuck:
            self.free.set()

    async def send(self, message: dict[str, Any]) -> None:
        self.sent.append(message.get("bytes") or message.get("text") or message.get("code"))
        await self.free.wait()


async def test_all_is_sent_in_order_and_then_the_socket_closed() -> None:
    outbox, socket = Outbox(), Socket()
    outbox.message({"n": 1})
    outbox.audio(b"a")
    outbox.message({"n": 2})
    outbox.close(1000)
    await outbox.run(socket.send)
    assert socket.sent == ['{"n":1}', b"a", '{"n":2}', 1000]


async def test_a_flush_takes_back_the_audio_that_has_not_left() -> None:
    transport, outbox, socket = BrowserTransport(), Outbox(), Socket()
    transport.outbox = outbox
    transport.message({"n": 1})
    for _ in range(5):
        transport.send_audio(SILENCE)
    transport.clear()
    transport.send_audio(b"new")
    outbox.close(1000)
    await outbox.run(socket.send)
    assert socket.sent == ['{"n":1}', '{"type":"clear"}', b"new", 1000]


@pytest.mark.parametrize("kind", ["audio", "messages"])
async def test_a_browser_that_does_not_read_is_given_up(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browser, "MESSAGE_LIMIT", 100)
    outbox, socket = Outbox(), Socket(stuck=True)
    sending = asyncio.create_task(outbox.run(socket.send))
    outbox.message({"n": 1})
    await asyncio.sleep(0)
    waiting = []
    for _ in range(1000):
        if kind == "audio":
            outbox.audio(SILENCE)
        else:
            outbox.message({"type": "event"})
        waiting.append(len(outbox._waiting))
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(sending, 1)
    assert outbox.overflowed
    assert max(waiting) <= 252
    assert socket.sent == ['{"n":1}']


async def test_audio_without_a_socket_is_lost_and_harms_nobody() -> None:
    transport = BrowserTransport()
    transport.send_audio(SILENCE)
    transport.clear()
    transport.message({"type": "event"})
    assert transport.outbox is None


@pytest.mark.parametrize(("said", "believed"), [(0.2, 0.2), (60.0, 2.0), (-1.0, 0.0)])
def test_a_players_delay_is_believed_within_reason(said: float, believed: float) -> None:
    transport = BrowserTransport()
    transport.measured(said)
    assert transport.playout_delay == believed


async def test_a_transfer_is_told_to_the_page() -> None:
    transport, outbox, socket = BrowserTransport(), Outbox(), Socket()
    transport.outbox = outbox
    await transport.transfer(Destination("+14155550100", "Front_desk"))
    leg = await transport.dial(Destination("sip:night@example.org"), patience=1.0)
    leg.send_audio(SILENCE)
    await transport.join(leg)
    await leg.hang_up()
    outbox.close(1000)
    await outbox.run(socket.send)
    assert socket.sent[:2] == [
        '{"type":"transfer","to":"+14155550100","label":"Front_desk"}',
        '{"type":"transfer","to":"sip:night@example.org","label":""}',
    ]


async def test_messages_reach_the_page_while_it_is_there() -> None:
    transport, outbox, socket = BrowserTransport(), Outbox(), Socket()
    assert not transport.send_message({"seat": 4})
    transport.outbox = outbox
    assert transport.send_message({"seat": 4})
    outbox.close(1000)
    await outbox.run(socket.send)
    assert socket.sent[0] == '{"type":"message","data":{"seat":4}}'


def test_a_page_whose_person_types_is_not_missed_on_the_line() -> None:
    call = hold_call(FallsSilent(0.0), Types(1.0, "Hello?"), far_end=cast("FarEnd", BrowserTransport()), ends_at=12.0)
    assert call.all(events.CallerTurn)
    assert all(event.role != "transport" for event in call.all(events.ProviderSlow))
