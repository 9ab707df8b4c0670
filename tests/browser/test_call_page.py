"""The list of calls and the page of one, in a real browser."""

from __future__ import annotations

import re
import wave
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from django.conf import settings
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import Organization, User
from telephony import services
from telephony.models import Call, CallEvent
from telephony.recordings import recording_path
from tests.browser.conftest import OpenPage
from tests.conftest import CallFactory, ClientFactory
from voice import events
from voice.events import Word
from voice.media import SAMPLE_RATE

pytestmark = [
    pytest.mark.browser,
    # Django's threaded test server keeps the sockets that the browser keeps.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    # It is no ASGI server, and a recording is streamed as for one.
    pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume asynchronous iterators"),
]

SECONDS = 8.0
SPOKEN = {"caller": (2.0, 3.0), "agent": (4.0, 7.0)}

Visit = Callable[..., Page]


@pytest.fixture
def recorded(call_factory: CallFactory) -> Call:
    """A call of eight seconds: the caller speaks from 2 to 3, the agent from 4 to 7 and is cut off."""
    call = call_factory(duration_ms=8000, end_reason="caller_ended", recording_seconds=SECONDS)
    happened: list[events.Event] = [
        events.CallStarted(at=0.0, call_id=call.pk, agent="Reception"),
        events.CallerSpeechStopped(at=3.1, offset=3.0),
        events.CallerTurn(at=3.2, turn=1, text="When do you open?", started=2.0, ended=3.0),
        events.ModelRequested(
            at=3.2,
            turn=1,
            request="m1",
            provider="local",
            model="qwen",
            messages=[{"role": "system", "content": "Be brief."}, {"role": "user", "content": "When do you open?"}],
            tools=["end_call"],
        ),
        events.ModelFinished(at=3.5, turn=1, request="m1", text="At nine in the morning.", finish="stop"),
        events.SpeechRequested(
            at=3.5, turn=1, request="s1", provider="fake", voice="v", text="At nine in the morning.", spoken="x"
        ),
        events.SpeechFirstAudio(at=3.8, turn=1, request="s1"),
        events.AgentSpeechStarted(at=3.9, turn=1, playout_delay=0.1),
        events.AgentHeard(at=6.0, turn=1, words=[Word("At", 4.0, 5.0), Word("nine", 5.0, 6.0), Word("in", 6.0, 7.0)]),
        events.AgentTurn(
            at=7.0, turn=1, text="At nine in", started=4.0, ended=7.0, interrupted=True, unheard="the morning."
        ),
        events.CallEnded(at=8.0, reason="caller_ended"),
    ]
    rows = [CallEvent.of(call.pk, number, events.encode(event)) for number, event in enumerate(happened)]
    CallEvent.objects.bulk_create(rows)
    sound = np.zeros((round(SECONDS * SAMPLE_RATE), 2), np.int16)
    for channel, (start, end) in enumerate(SPOKEN.values()):
        sound[round(start * SAMPLE_RATE) : round(end * SAMPLE_RATE), channel] = 9000
    path = recording_path(call.pk)
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(sound.tobytes())
    return call


@pytest.fixture
def visit(
    live_server: LiveServer, open_page: OpenPage, workspace: Organization, owner: User, client_for: ClientFactory
) -> Visit:
    """Opens an address below the workspace's calls as its owner."""
    session = client_for(owner).cookies[settings.SESSION_COOKIE_NAME].value

    def go(address: str = "", **options: Any) -> Page:
        page = open_page(**options)
        page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}])
        page.goto(f"{live_server.url}/w/{workspace.slug}/calls/{address}")
        return page

    return go


def position(page: Page) -> float:
    value: float = page.locator("audio").evaluate("audio => audio.currentTime")
    return value


def test_a_word_plays_from_where_it_was_said_and_lights_up(visit: Visit, recorded: Call) -> None:
    page = visit(f"{recorded.pk}/")
    expect(page.locator("call-player")).to_have_attribute("data-state", "ready")
    word = page.locator("[data-word]", has_text="nine")
    word.click()
    expect(word).to_have_attribute("data-now", "")
    assert position(page) >= 5.0
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    # It goes on to the next word by itself.
    expect(page.locator("[data-word]", has_text=re.compile("^in$"))).to_have_attribute("data-now", "")
    expect(word).not_to_have_attribute("data-now", "")


def test_the_recording_is_moved_through_by_keyboard(visit: Visit, recorded: Call) -> None:
    page = visit(f"{recorded.pk}/")
    expect(page.locator("call-player")).to_have_attribute("data-state", "ready")
    place = page.get_by_role("slider", name="Position in the recording")
    place.focus()
    page.keyboard.press("ArrowRight")
    expect(place).to_have_attribute("aria-valuetext", "0:05 of 0:08")
    expect(page.locator(".said-agent")).to_have_attribute("data-now", "")
    page.keyboard.press("Home")
    expect(place).to_have_attribute("aria-valuenow", "0.0")
    page.keyboard.press(" ")
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    page.keyboard.press(" ")
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()


def test_an_archived_recording_plays(visit: Visit, recorded: Call) -> None:
    services.recording_archive(call_id=recorded.pk)
    page = visit(f"{recorded.pk}/")
    expect(page.locator("call-player")).to_have_attribute("data-state", "ready")
    word = page.locator("[data-word]", has_text="nine")
    word.click()
    expect(word).to_have_attribute("data-now", "")
    expect(page.locator("[data-word]", has_text=re.compile("^in$"))).to_have_attribute("data-now", "")
    assert page.locator("audio").evaluate("audio => audio.duration") == pytest.approx(SECONDS, abs=0.05)
    expect(page.locator("[data-trouble]")).to_be_hidden()


def test_a_recording_that_is_archived_while_its_page_is_open_plays(visit: Visit, recorded: Call) -> None:
    page = visit(f"{recorded.pk}/")
    expect(page.locator("call-player")).to_have_attribute("data-state", "ready")
    services.recording_archive(call_id=recorded.pk)
    # As the browser says when it goes on to read and finds another file.
    page.locator("audio").evaluate("audio => audio.dispatchEvent(new Event('error'))")
    page.locator("[data-word]", has_text="nine").click()
    expect(page.locator("[data-word]", has_text=re.compile("^in$"))).to_have_attribute("data-now", "")
    expect(page.locator("[data-trouble]")).to_be_hidden()


def test_each_side_is_drawn_in_its_own_lane(visit: Visit, recorded: Call) -> None:
    page = visit(f"{recorded.pk}/")
    expect(page.locator("call-player")).to_have_attribute("data-state", "ready")
    heights = page.locator("canvas").evaluate(
        """canvas => {
            const pen = canvas.getContext("2d");
            const lane = canvas.height / 2;
            const height = (share, top) => {
                // A few columns: between two bars there is a gap.
                const { data } = pen.getImageData(Math.round(share * canvas.width), top, 6, lane);
                return data.filter((value, i) => i % 4 === 3 && value > 0).length / 6 / lane;
            };
            const at = (seconds) => ({ caller: height(seconds / 8, 0), agent: height(seconds / 8, lane) });
            return { caller: at(2.5), agent: at(5.5), nobody: at(7.6) };
        }"""
    )
    assert heights["caller"]["caller"] > 4 * heights["caller"]["agent"]
    assert heights["agent"]["agent"] > 4 * heights["agent"]["caller"]
    assert heights["nobody"]["caller"] < 0.1
    assert heights["nobody"]["agent"] < 0.1


def test_what_was_not_heard_is_struck_out(visit: Visit, recorded: Call) -> None:
    page = visit(f"{recorded.pk}/")
    said = page.locator(".said-agent")
    expect(said).to_contain_text("At nine in")
    expect(said.locator("s")).to_have_text("the morning.")
    expect(said.get_by_text("interrupted; not heard:")).to_be_attached()


def test_a_turn_s_latency_opens_its_waterfall_by_keyboard(visit: Visit, recorded: Call) -> None:
    page = visit(f"{recorded.pk}/")
    chip = page.locator(".latency-chip")
    expect(chip).to_have_text(re.compile(r"quick\s+1000 ms\s+= EOT 300 · LLM 300 · TTS 300 · playout 100"))
    expect(page.locator(".waterfall")).to_be_hidden()
    chip.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".waterfall")).to_be_visible()
    expect(page.locator(".waterfall tbody tr", has_text="Playout")).to_contain_text("100 ms")


def test_the_other_tabs_hold_events_and_what_the_model_was_sent(visit: Visit, recorded: Call) -> None:
    page = visit(f"{recorded.pk}/")
    page.get_by_role("tab", name="Transcript").focus()
    page.keyboard.press("ArrowRight")
    events_panel = page.get_by_role("tabpanel", name="Events")
    expect(events_panel).to_be_visible()
    expect(page.get_by_role("tabpanel", name="Transcript")).to_be_hidden()
    row = events_panel.locator("details", has_text="caller.turn")
    expect(row.locator("pre")).to_be_hidden()
    row.locator("summary").click()
    expect(row.locator("pre")).to_contain_text('"started": 2.0')
    page.get_by_role("tab", name="What the model was sent").click()
    request = page.get_by_role("tabpanel", name="What the model was sent").locator("details")
    request.locator("summary").click()
    expect(request).to_contain_text("Be brief.")
    expect(request.locator(".messages-answer")).to_contain_text("At nine in the morning.")
    # The tab is in the address.
    page.reload()
    expect(page.get_by_role("tabpanel", name="What the model was sent")).to_be_visible()


def test_a_live_call_s_page_grows_and_keeps_what_was_opened(visit: Visit, call_factory: CallFactory) -> None:
    call = call_factory(state=Call.State.LIVE)
    first = events.CallStarted(at=0.0, call_id=call.pk, agent="Reception")
    CallEvent.of(call.pk, 0, events.encode(first)).save()
    page = visit(f"{call.pk}/#events")
    row = page.locator("#event-0")
    row.locator("summary").click()
    expect(page.get_by_role("button", name="Delete the call")).to_have_count(0)
    said = events.CallerTurn(at=3.2, turn=1, text="When do you open?", started=2.0, ended=3.0)
    CallEvent.of(call.pk, 1, events.encode(said)).save()
    expect(page.locator("#event-1")).to_contain_text("When do you open?")
    expect(row).to_have_attribute("open", "")
    expect(page.get_by_role("tabpanel", name="Events")).to_be_visible()
    Call.objects.filter(pk=call.pk).update(state=Call.State.ENDED, end_reason="agent_ended")
    expect(page.locator("#call")).to_contain_text("Agent hung up")
    expect(page.locator("#call")).not_to_have_attribute("hx-trigger", "every 2s")
    # Now it can be deleted.
    expect(page.get_by_role("button", name="Delete the call")).to_have_count(1)


def test_a_list_is_filtered_without_a_new_page(visit: Visit, call_factory: CallFactory) -> None:
    call_factory(end_reason="caller_ended")
    call_factory(end_reason="error")
    page = visit("")
    expect(page.locator("tbody tr")).to_have_count(2)
    page.get_by_label("Ended by").select_option("error")
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("tbody tr")).to_contain_text("Failed")
    expect(page).to_have_url(re.compile("reason=error"))
    page.get_by_label("Ended by").select_option("inactivity")
    expect(page.get_by_text("No call fits these filters")).to_be_visible()
    page.get_by_role("link", name="Show all calls").click()
    expect(page.locator("tbody tr")).to_have_count(2)


def test_the_first_visit_is_led_to_the_agents(visit: Visit) -> None:
    page = visit("")
    expect(page.get_by_role("link", name="Talk to an agent")).to_be_visible()


def test_the_pages_keep_to_the_content_security_policy_and_to_a_narrow_screen(
    visit: Visit, recorded: Call, complaints: list[str]
) -> None:
    for address in (f"{recorded.pk}/", ""):
        page = visit(address, viewport={"width": 360, "height": 740})
        if address:
            expect(page.locator("call-player")).to_have_attribute("data-state", "ready")
        assert page.evaluate("document.documentElement.scrollWidth") == 360
    assert complaints == []
