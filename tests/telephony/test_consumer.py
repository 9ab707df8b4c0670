from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
import soundfile
from django.utils import timezone

from accounts.models import Organization, User
from builder.config import AgentConfig
from builder.models import Agent
from core.errors import ApiError, ErrorCode
from telephony import live
from telephony.consumers import TestCallConsumer
from telephony.models import Call
from telephony.recordings import stored_recording
from telephony.runtime import Runtime, in_thread
from tests.conftest import AgentFactory
from tests.telephony.conftest import Browser, path_of, stored
from tests.telephony.fakes import FakeProviders
from tests.voice.fakes import SPEECH
from voice.media import FRAME_BYTES, SILENCE

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def agent(agent_factory: AgentFactory) -> Agent:
    return agent_factory(config=AgentConfig(prompt="Be brief.", greeting="Hello."))


async def refused(user: User | None, path: str) -> tuple[int, dict[str, Any]]:
    """The code with which a call is refused, and the error that came before."""
    browser = Browser(user, path)
    await browser.connect()
    code = await browser.closed()
    assert [message["type"] for message in browser.messages] == ["error"]
    error: dict[str, Any] = browser.messages[0]["error"]
    assert set(error) == {"error_code", "title", "message", "request_id", "doc_url"}
    assert error["request_id"]
    return code, error


# --- who may call


async def test_nobody_calls_without_signing_in(agent: Agent, runtime: Runtime) -> None:
    code, error = await refused(None, path_of(agent))
    assert (code, error["error_code"]) == (4401, "not_authenticated")


async def test_a_stranger_finds_no_agent(
    agent: Agent, stranger: User, other_workspace: Organization, runtime: Runtime
) -> None:
    code, error = await refused(stranger, path_of(agent))
    assert (code, error["error_code"]) == (4404, "not_found")
    through_own = path_of(agent).replace(agent.organization.slug, other_workspace.slug)
    assert (await refused(stranger, through_own))[0] == 4404
    assert not await Call.objects.aexists()


async def test_a_viewer_may_not_call(agent: Agent, viewer: User, runtime: Runtime) -> None:
    code, error = await refused(viewer, path_of(agent))
    assert (code, error["error_code"]) == (4403, "permission_denied")


async def test_a_deleted_agent_takes_no_calls(agent: Agent, member: User, runtime: Runtime) -> None:
    await Agent.objects.filter(pk=agent.pk).aupdate(deleted_at=timezone.now())
    assert (await refused(member, path_of(agent)))[0] == 4404


async def test_one_call_too_many_is_refused(agent: Agent, member: User, runtime: Runtime, settings: Any) -> None:
    settings.MAX_CALLS = 1
    first = Browser(member, path_of(agent))
    await first.connect()
    await first.message("ready")
    code, error = await refused(member, path_of(agent))
    assert (code, error["error_code"]) == (4429, "concurrency_limited")
    await first.send(type="hang_up")
    assert await first.closed() == 1000
    again = Browser(member, path_of(agent))
    await again.connect()
    assert (await again.message("ready"))["call"]["resumed"] is False


async def test_a_call_waits_for_the_models(
    agent: Agent, member: User, runtime: Runtime, providers: FakeProviders
) -> None:
    providers.refusal = ApiError(ErrorCode.MODELS_LOADING, "The models are still loading", "Still to come: voice.")
    code, error = await refused(member, path_of(agent))
    assert (code, error["error_code"], error["message"]) == (4503, "models_loading", "Still to come: voice.")
    assert not await Call.objects.aexists()


async def test_a_call_that_cannot_be_made_is_finished_as_failed(
    agent: Agent, member: User, runtime: Runtime, providers: FakeProviders
) -> None:
    providers.failure = RuntimeError("no client")
    code, error = await refused(member, path_of(agent))
    assert (code, error["error_code"]) == (4500, "internal_error")
    call = await Call.objects.aget()
    assert (call.state, call.end_reason, call.end_detail) == (Call.State.ENDED, "error", "RuntimeError: no client")
    assert runtime.calls == {}


# --- a call


async def test_a_whole_call_from_greeting_to_hang_up(agent: Agent, member: User, runtime: Runtime) -> None:
    browser = Browser(member, path_of(agent))
    await browser.connect()
    ready = await browser.message("ready")
    call_id = ready["call"]["id"]
    url = f"/w/{agent.organization.slug}/calls/{call_id}/"
    assert ready["call"] == {
        "id": call_id,
        "url": url,
        "agent": agent.name,
        "version": "draft",
        "resumed": False,
    }
    await browser.event("agent.turn")
    await browser.send(type="text", text="Can you hear me?")
    latency = await browser.message("latency")
    assert latency["turn"] == 1
    parts = [latency[part] for part in ("end_of_turn", "stt", "llm", "tts", "playout")]
    assert latency["total"] == pytest.approx(sum(parts), abs=0.001)
    assert {"llm", "tts", "playout"} <= {span["name"] for span in latency["spans"]}
    requested = next(m["event"] for m in browser.messages if m.get("event", {}).get("type") == "model.requested")
    assert "messages" not in requested
    answer = await browser.event("agent.turn")
    assert answer["text"] == "Yes."
    await browser.send(type="hang_up")
    ended = await browser.message("ended")
    assert ended == {"type": "ended", "reason": "caller_ended", "detail": "", "url": url}
    assert await browser.closed() == 1000
    assert browser.sequences == list(range(len(browser.sequences)))
    assert browser.audio
    assert {len(frame) for frame in browser.audio} == {FRAME_BYTES}

    call = await stored(call_id)
    assert (call.state, call.end_reason, call.started_by_id) == (Call.State.ENDED, "caller_ended", member.pk)
    assert call.duration_ms > 0
    events = [event.type async for event in call.events.order_by("sequence")]
    assert events == browser.events
    assert (events[0], events[-1]) == ("call.started", "call.ended")
    # The worker, which is this process here, has archived the recording.
    kept = stored_recording(call_id)
    assert kept is not None
    assert (kept.suffix, call.recording_format) == (".flac", "flac")
    assert soundfile.info(kept).duration == pytest.approx(call.recording_seconds)
    assert call.recording_seconds == pytest.approx(call.duration_ms / 1000, abs=0.2)
    assert runtime.calls == {}


async def test_the_caller_is_heard(agent: Agent, member: User, runtime: Runtime) -> None:
    browser = Browser(member, path_of(agent))
    await browser.connect()
    await browser.event("agent.turn")
    for _ in range(30):
        await browser.speak(SPEECH)
        await asyncio.sleep(0.01)
    for _ in range(40):
        await browser.speak(SILENCE)
        await asyncio.sleep(0.01)
    turn = await browser.event("caller.turn")
    assert turn["source"] == "speech"
    assert (await browser.event("agent.turn"))["text"] == "Yes."


async def test_it_says_when_the_player_must_drop_its_audio(
    agent: Agent, member: User, runtime: Runtime, providers: FakeProviders
) -> None:
    providers.llm.answers = ["This is a long answer that nobody lets me finish, whatever I may do about it."]
    browser = Browser(member, path_of(agent))
    await browser.connect()
    await browser.event("agent.turn")
    await browser.send(type="text", text="Tell me everything.")
    await browser.event("agent.heard")
    await browser.send(type="text", text="Stop.")
    await browser.message("clear")
    cut = await browser.event("agent.turn")
    assert cut["interrupted"]
    assert cut["unheard"]


async def test_the_players_delay_counts_as_latency(agent: Agent, member: User, runtime: Runtime) -> None:
    browser = Browser(member, path_of(agent))
    await browser.connect()
    await browser.event("agent.turn")
    await browser.send(type="playout", delay=0.4)
    await browser.send(type="text", text="Hello?")
    assert (await browser.message("latency"))["playout"] == pytest.approx(0.4)


async def test_a_ping_is_answered(agent: Agent, member: User, runtime: Runtime) -> None:
    browser = Browser(member, path_of(agent))
    await browser.connect()
    await browser.send(type="ping", n=7)
    assert (await browser.message("pong")) == {"type": "pong", "n": 7}


async def test_keys_become_a_turn_and_a_message_reaches_the_agent(agent: Agent, member: User, runtime: Runtime) -> None:
    browser = Browser(member, path_of(agent))
    await browser.connect()
    await browser.event("agent.turn")
    await browser.send(type="message", data={"seat": 4})
    assert (await browser.event("caller.message"))["data"] == {"seat": 4}
    for digit in "42#":
        await browser.send(type="digit", digit=digit)
    turn = await browser.event("caller.turn")
    assert (turn["source"], turn["text"]) == ("keypad", "[keyed in: 42]")
    await browser.send(type="hang_up")
    await browser.closed()


# --- bad messages


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("not json", "Invalid JSON"),
        ("[1]", "should be an object"),
        ('{"type":"dance"}', "does not match any of the expected tags"),
        ('{"type":"text"}', "text.text: Field required"),
        ('{"type":"text","text":""}', "at least 1 character"),
        ('{"type":"playout","delay":NaN}', "finite"),
        ('{"type":"digit","digit":"12"}', "should match pattern"),
        ('{"type":"message","data":"hello"}', "should be an object"),
        ('{"type":"playout","delay":-1}', "greater than or equal to 0"),
        ('{"type":"ping","n":1,"x":2}', "Extra inputs are not permitted"),
    ],
)
async def test_a_bad_message_is_answered_with_what_is_wrong(
    agent: Agent, member: User, runtime: Runtime, text: str, said: str
) -> None:
    browser = Browser(member, path_of(agent))
    await browser.connect()
    await browser.message("ready")
    await browser.socket.send_to(text_data=text)
    error = (await browser.message("error"))["error"]
    assert error["error_code"] == "invalid_event"
    assert said in error["message"]
    await browser.send(type="ping", n=1)
    await browser.message("pong")


@pytest.mark.parametrize("size", [1, 639, 641, 64_000])
async def test_audio_of_another_size_is_an_error_and_the_call_goes_on(
    agent: Agent, member: User, runtime: Runtime, size: int
) -> None:
    browser = Browser(member, path_of(agent))
    await browser.connect()
    await browser.message("ready")
    await browser.speak(bytes(size))
    assert f"this one has {size}" in (await browser.message("error"))["error"]["message"]
    await browser.send(type="ping", n=1)
    await browser.message("pong")


async def test_audio_faster_than_speech_is_dropped(
    agent: Agent, member: User, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = Browser(member, path_of(agent))
    await browser.connect()
    await browser.message("ready")
    heard: list[bytes] = []
    held = next(iter(runtime.calls.values()))
    monkeypatch.setattr(held.conversation, "on_audio", heard.append)
    # The socket took its way to the conversation already: come back, and it takes the new one.
    again = Browser(member, path_of(agent, call=held.facts.id))
    await again.connect()
    await again.message("ready")
    for _ in range(300):
        await again.speak(SILENCE)
    error = (await again.message("error"))["error"]
    assert "faster than anybody speaks" in error["message"]
    assert 100 <= len(heard) <= 150


# --- coming back


async def test_a_browser_comes_back_to_its_call_and_misses_nothing(
    agent: Agent, member: User, runtime: Runtime
) -> None:
    browser = Browser(member, path_of(agent))
    await browser.connect()
    call_id = (await browser.message("ready"))["call"]["id"]
    await browser.event("agent.speech_started")
    last = browser.sequences[-1]
    await browser.vanish()
    await asyncio.sleep(0.8)
    back = Browser(member, path_of(agent, call=call_id, after=last))
    await back.connect()
    ready = await back.message("ready")
    assert ready["call"]["resumed"] is True
    assert ready["call"]["id"] == call_id
    await back.event("agent.turn")
    await back.send(type="text", text="Still there?")
    await back.event("agent.turn")
    await back.send(type="hang_up")
    assert await back.closed() == 1000
    assert back.sequences == list(range(last + 1, last + 1 + len(back.sequences)))
    assert (await stored(call_id)).end_reason == "caller_ended"


async def test_a_call_ends_when_its_browser_does_not_come_back(
    agent: Agent, member: User, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "RESUME_SECONDS", 0.2)
    browser = Browser(member, path_of(agent))
    await browser.connect()
    call_id = (await browser.message("ready"))["call"]["id"]
    task = runtime.calls[call_id].task
    assert task is not None
    await browser.vanish()
    await asyncio.wait_for(task, 5)
    call = await stored(call_id)
    assert call.end_reason == "connection_lost"
    assert "did not come back" in call.end_detail

    back = Browser(member, path_of(agent, call=call_id, after=0))
    await back.connect()
    assert (await back.message("ready"))["call"]["resumed"] is True
    assert (await back.message("ended"))["reason"] == "connection_lost"
    assert await back.closed() == 1000
    assert back.sequences[0] == 1
    assert back.events[-1] == "call.ended"


async def test_a_word_cut_off_by_a_lost_connection_is_answered(agent: Agent, member: User, runtime: Runtime) -> None:
    browser = Browser(member, path_of(agent))
    await browser.connect()
    call_id = (await browser.message("ready"))["call"]["id"]
    await browser.event("agent.turn")
    for _ in range(20):
        await browser.speak(SPEECH)
        await asyncio.sleep(0.015)
    await browser.event("caller.speech_started")
    await browser.vanish()
    await asyncio.sleep(1.5)
    back = Browser(member, path_of(agent, call=call_id, after=browser.sequences[-1]))
    await back.connect()
    await back.event("caller.turn")


async def test_the_newer_socket_wins(agent: Agent, member: User, runtime: Runtime) -> None:
    first = Browser(member, path_of(agent))
    await first.connect()
    call_id = (await first.message("ready"))["call"]["id"]
    second = Browser(member, path_of(agent, call=call_id))
    await second.connect()
    await second.message("ready")
    assert await first.closed() == 4409
    assert first.messages[-1]["error"]["title"] == "Continued elsewhere"
    await second.send(type="ping", n=1)
    await second.message("pong")
    assert list(runtime.calls) == [call_id]


async def test_nobody_else_comes_back_to_a_call(
    agent: Agent, member: User, owner: User, agent_factory: AgentFactory, runtime: Runtime
) -> None:
    browser = Browser(member, path_of(agent))
    await browser.connect()
    call_id = (await browser.message("ready"))["call"]["id"]
    other_agent = await in_thread(agent_factory, "Other")
    assert (await refused(owner, path_of(agent, call=call_id)))[0] == 4404
    assert (await refused(member, path_of(other_agent, call=call_id)))[0] == 4404
    assert (await refused(member, path_of(agent, call="call_unknown")))[0] == 4404
    assert (await refused(member, path_of(agent, call=call_id, after="x")))[0] == 4400


# --- the end of the server


async def test_a_stopping_server_ends_its_calls_and_takes_no_more(agent: Agent, member: User, runtime: Runtime) -> None:
    browser = Browser(member, path_of(agent))
    await browser.connect()
    call_id = (await browser.message("ready"))["call"]["id"]
    await runtime.stop()
    assert (await browser.message("ended"))["reason"] == "server_shutdown"
    assert (await stored(call_id)).end_reason == "server_shutdown"
    assert (await refused(member, path_of(agent)))[0] == 4409


async def test_a_call_that_was_taken_for_dead_ends(
    agent: Agent, member: User, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("telephony.services.HEARTBEAT_SECONDS", 0.1)
    browser = Browser(member, path_of(agent))
    await browser.connect()
    call_id = (await browser.message("ready"))["call"]["id"]
    before = (await stored(call_id)).heartbeat_at
    await asyncio.sleep(0.4)
    assert (await stored(call_id)).heartbeat_at > before
    await Call.objects.filter(pk=call_id).aupdate(state=Call.State.ENDED, end_reason="process_lost")
    assert (await browser.message("ended"))["reason"] == "error"
    assert (await stored(call_id)).end_reason == "process_lost"


async def test_heartbeats_do_not_wait_behind_other_work(
    agent: Agent, member: User, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("telephony.services.HEARTBEAT_SECONDS", 0.1)
    browser = Browser(member, path_of(agent))
    await browser.connect()
    call_id = (await browser.message("ready"))["call"]["id"]
    before = (await stored(call_id)).heartbeat_at
    released = threading.Event()
    others = [asyncio.create_task(in_thread(released.wait)) for _ in range(40)]
    try:
        async with asyncio.timeout(10):
            while (await stored(call_id)).heartbeat_at == before:  # noqa: ASYNC110  (it is in the database)
                await asyncio.sleep(0.05)
    finally:
        released.set()
        await asyncio.gather(*others)


async def test_a_browser_that_stops_reading_loses_its_socket_but_not_its_call(
    agent: Agent, member: User, runtime: Runtime, providers: FakeProviders, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("telephony.browser.AUDIO_LIMIT", 20)
    providers.llm.answers = ["A long answer, " * 20]
    stuck = asyncio.Event()
    sent = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)
        if message.get("bytes"):
            await stuck.wait()

    incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    for message in (
        {"type": "websocket.connect"},
        {"type": "websocket.receive", "text": '{"type":"text","text":"Hi"}'},
    ):
        incoming.put_nowait(message)
    scope = {
        "user": member,
        "query_string": b"",
        "url_route": {"kwargs": {"workspace": agent.organization.slug, "agent_id": agent.pk}},
    }
    async with asyncio.timeout(10):
        await TestCallConsumer()(scope, incoming.get, send)
    assert sum("bytes" in message for message in sent) == 1
    [call_id] = runtime.calls
    back = Browser(member, path_of(agent, call=call_id, after=0))
    await back.connect()
    await back.message("ready")
    await back.send(type="hang_up")
    assert await back.closed() == 1000
