"""The panel in which one talks to an agent, in a real browser, against a scripted far end."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.fake_call import FakeCall, PanelServer
from voice import events

pytestmark = pytest.mark.browser

GREETING = "Hello, how can I help you?"
CALL_PAGE = re.compile("^Open the call.s page$")


def open_panel(page: Page, server: PanelServer) -> Locator:
    page.goto(f"{server.url}/panel/")
    page.get_by_role("button", name="Talk", exact=True).click()
    panel = page.locator("call-panel")
    expect(panel.get_by_role("dialog", name="Talk to Reception")).to_be_visible()
    return panel


def start(panel: Locator) -> None:
    panel.get_by_role("button", name="Start the call").click()
    expect(panel).to_have_attribute("data-state", "live")


def type_instead(panel: Locator) -> None:
    panel.get_by_role("button", name="Type instead").click()
    expect(panel).to_have_attribute("data-state", "live")


async def answering(call: FakeCall) -> None:
    """Greets, and answers each typed turn."""
    await call.ready()
    await call.agent_says(0, GREETING)
    await call.agent_said(0, GREETING)
    turn = 0
    while True:
        turn += 1
        text = (await call.received("text"))["text"]
        await call.caller_said(turn, text, typed=True)
        await call.agent_says(turn, f"You said {text}")
        await call.agent_said(turn, f"You said {text}")


# --- the microphone


def test_a_refused_microphone_is_explained_and_typing_works(open_page: OpenPage, server: PanelServer) -> None:
    server.script = answering
    page = open_page(microphone=False)
    panel = open_panel(page, server)
    panel.get_by_role("button", name="Start the call").click()
    notice = panel.get_by_role("alert")
    expect(notice).to_contain_text("The microphone is blocked")
    expect(notice).to_contain_text("the agent cannot hear you")
    expect(notice).to_contain_text("Allow the microphone")
    expect(panel).to_have_attribute("data-state", "idle")

    type_instead(panel)
    field = panel.get_by_label("Type to Reception")
    expect(field).to_be_focused()
    field.fill("Are you open on Sunday?")
    field.press("Enter")
    expect(panel.locator(".said-caller")).to_contain_text("Are you open on Sunday?")
    expect(panel.locator(".said-agent").last).to_contain_text("You said Are you open on Sunday?")
    expect(field).to_have_value("")


def test_an_address_without_https_is_named_as_the_reason(open_page: OpenPage, server: PanelServer) -> None:
    server.script = answering
    server.url = server.url.replace("127.0.0.1", "callwright.test")
    panel = open_panel(open_page(), server)
    panel.get_by_role("button", name="Start the call").click()
    expect(panel.get_by_role("alert")).to_contain_text("This address may not use the microphone")
    type_instead(panel)
    expect(panel).to_contain_text(GREETING)
    expect(panel).to_contain_text("the answers can be read but not heard")


def test_the_microphone_sends_frames_and_muting_sends_silence(open_page: OpenPage, server: PanelServer) -> None:
    heard: list[int] = []

    async def script(call: FakeCall) -> None:
        await call.ready()
        await call.heard_frames(10)
        await call.event(events.CallerPartial(at=1.0, turn=1, text="loud"))
        before = -1
        while call.loud_frames != before:
            before, frames = call.loud_frames, call.frames
            await call.sent_frames(frames + 75)  # longer than the pauses between the fake microphone's beeps
        heard.append(call.loud_frames)
        await call.event(events.CallerPartial(at=2.0, turn=1, text="silent"))

    server.script = script
    page = open_page()
    panel = open_panel(page, server)
    start(panel)
    expect(panel).to_contain_text("loud")
    page.keyboard.press("m")
    expect(panel.get_by_role("button", name="Muted").first).to_have_attribute("aria-pressed", "true")
    expect(panel).to_contain_text("silent")
    assert heard


def test_microphone_and_speaker_can_be_changed_in_mid_call(open_page: OpenPage, server: PanelServer) -> None:
    async def script(call: FakeCall) -> None:
        await call.ready()
        await call.heard_frames(5)
        await call.received("text")
        await call.sent_frames(call.frames + 50)
        await call.event(events.CallerPartial(at=1.0, turn=1, text="still audible"))

    server.script = script
    panel = open_panel(open_page(), server)
    start(panel)
    panel.get_by_role("button", name="Sound devices").click()
    microphones, speakers = panel.get_by_label("Microphone", exact=True), panel.get_by_label("Speaker")
    choices = microphones.locator("option").all_inner_texts()
    assert len(choices) > 1
    microphones.select_option(choices[-1])
    speakers.select_option(speakers.locator("option").all_inner_texts()[-1])
    expect(microphones.locator("option:checked")).to_have_text(choices[-1])
    panel.get_by_label("Type to Reception").fill("changed")
    panel.get_by_role("button", name="Send").click()
    expect(panel).to_contain_text("still audible")
    expect(panel.get_by_role("alert")).to_have_count(0)


# --- what is said


def test_a_spoken_call_shows_words_as_they_come_and_then_for_good(open_page: OpenPage, server: PanelServer) -> None:
    async def script(call: FakeCall) -> None:
        await call.ready()
        await call.heard_frames(25)
        await call.event(events.CallerPartial(at=1.0, turn=1, text="what are your"))
        await call.received("playout")
        await call.caller_said(1, "What are your opening hours?")
        await call.agent_says(1, "From nine to five.", heard=2)
        await call.received("text")
        await call.agent_said(1, "From nine to five.")

    server.script = script
    page = open_page()
    panel = open_panel(page, server)
    start(panel)
    caller, agent = panel.locator(".said-caller"), panel.locator(".said-agent")
    expect(caller.locator("[data-firm]")).to_have_text("What are your opening hours?")
    expect(caller.locator("[data-partial]")).to_be_empty()
    expect(agent.locator("[data-heard]")).to_have_text("From nine")
    expect(agent.locator("[data-pending]")).to_have_text("to five.")
    panel.get_by_label("Type to Reception").fill("go on")
    page.keyboard.press("Enter")
    expect(agent.locator("[data-heard]")).to_have_text("From nine to five.")
    expect(agent.locator("[data-pending]")).to_be_empty()
    # Both are said to a screen reader, once they are final.
    expect(panel.get_by_role("log")).to_contain_text("You: What are your opening hours?")
    expect(panel.get_by_role("log")).to_contain_text("Reception: From nine to five.")


def test_words_being_recognised_are_shown_as_provisional(open_page: OpenPage, server: PanelServer) -> None:
    async def script(call: FakeCall) -> None:
        await call.ready()
        await call.event(events.CallerPartial(at=1.0, turn=1, text="what are your"))

    server.script = script
    panel = open_panel(open_page(), server)
    start(panel)
    expect(panel.locator(".said-caller [data-partial]")).to_have_text("what are your")
    expect(panel.get_by_role("log")).to_be_empty()


def test_an_interruption_strikes_out_what_was_not_heard(open_page: OpenPage, server: PanelServer) -> None:
    async def script(call: FakeCall) -> None:
        await call.ready()
        await call.agent_says(0, "We are open from nine to five.", heard=4)
        await call.audio(4.0)
        await call.message("clear")
        await call.agent_said(0, "We are open from", unheard="nine to five.")

    server.script = script
    panel = open_panel(open_page(), server)
    start(panel)
    agent = panel.locator(".said-agent")
    expect(agent.locator("[data-heard]")).to_have_text("We are open from")
    expect(agent.locator("s")).to_have_text("nine to five.")
    expect(agent.locator("s")).to_have_css("text-decoration-line", "line-through")
    expect(agent.get_by_text("interrupted; not heard:")).to_be_attached()
    # Four seconds were sent; the player has nothing left of them.
    expect(panel).to_have_attribute("data-buffered", "0")
    expect(panel).to_have_attribute("data-speaking", "false")


def test_a_tool_is_a_card_with_what_it_was_asked_and_what_it_answered(open_page: OpenPage, server: PanelServer) -> None:
    async def script(call: FakeCall) -> None:
        await call.ready()
        await call.caller_said(1, "Book a table")
        await call.event(events.ToolCalled(at=1.0, turn=1, tool_call="t", name="book_table", arguments={"people": 4}))
        await call.event(
            events.ToolReturned(at=1.2, turn=1, tool_call="t", name="book_table", result="", error="Full.", took=0.2)
        )

    server.script = script
    panel = open_panel(open_page(), server)
    start(panel)
    card = panel.locator(".tool-card")
    expect(card.locator("summary")).to_have_text(re.compile(r"book_table\s+failed\s+200 ms"))
    card.locator("summary").click()
    expect(card.locator("[data-arguments]")).to_have_text(re.compile(r'"people": 4'))
    expect(card.locator("[data-answer]")).to_have_text("Full.")


def test_a_latency_chip_opens_its_waterfall_by_keyboard(open_page: OpenPage, server: PanelServer) -> None:
    async def script(call: FakeCall) -> None:
        await call.ready()
        await call.caller_said(1, "Hi")
        await call.agent_says(1, "Hello.")
        await call.latency(1)

    server.script = script
    page = open_page()
    panel = open_panel(page, server)
    start(panel)
    chip = panel.locator(".latency-chip")
    expect(chip).to_have_text(re.compile(r"quick\s+612 ms\s+= EOT 180 · STT 40 · LLM 240 · TTS 95 · playout 57"))
    waterfall = panel.locator(".waterfall")
    expect(waterfall).to_be_hidden()
    chip.focus()
    page.keyboard.press("Enter")
    expect(waterfall).to_be_visible()
    expect(waterfall.locator("tbody tr")).to_have_count(5)
    expect(waterfall.locator("tbody tr").nth(2)).to_have_text(re.compile(r"Model\s*240 ms"))
    page.keyboard.press("Enter")
    expect(waterfall).to_be_hidden()


# --- the line


def test_a_lost_socket_is_explained_and_the_call_goes_on(open_page: OpenPage, server: PanelServer) -> None:
    queries: list[dict[str, str]] = []

    async def script(call: FakeCall) -> None:
        queries.append(call.query)
        resumed = "call" in call.query
        await call.ready(resumed=resumed)
        if not resumed:
            await call.agent_says(0, GREETING)
            await call.drop()
            return
        await call.agent_said(0, GREETING)
        await call.heard_frames(10)
        await call.event(events.CallerPartial(at=5.0, turn=1, text="still here"))

    server.script = script
    panel = open_panel(open_page(), server)
    start(panel)
    expect(panel).to_contain_text("The connection was lost. Trying to get back to the call")
    expect(panel).to_contain_text("Back on the line")
    expect(panel).to_have_attribute("data-line", "up")
    expect(panel).to_contain_text("still here")
    expect(panel.locator(".said-agent")).to_have_count(1)
    assert queries[1] == {"call": "call_1", "after": "2"}


def test_a_call_that_is_gone_offers_a_new_one(open_page: OpenPage, server: PanelServer) -> None:
    async def script(call: FakeCall) -> None:
        if "call" in call.query:
            await call.drop(4404)
            return
        await call.ready()
        await call.drop()

    server.script = script
    panel = open_panel(open_page(), server)
    panel.get_by_role("button", name="Start the call").click()
    expect(panel).to_have_attribute("data-state", "ended")
    expect(panel.get_by_role("alert")).to_contain_text("The connection was lost for too long.")
    expect(panel.get_by_role("button", name="Start a new call")).to_be_focused()
    expect(panel.get_by_role("link", name=CALL_PAGE)).to_be_visible()


@pytest.mark.parametrize(
    ("code", "error_code", "title", "message"),
    [
        (4503, "models_loading", "Still loading", "The voice is at 43 %."),
        (4402, "quota_exceeded", "No money for the call", "The budget “Tests” is used up."),
        (4429, "concurrency_limited", "Too many calls at once", "The plan Free allows 8 calls at once."),
    ],
)
def test_a_refusal_is_told_in_the_server_s_words(
    code: int, error_code: str, title: str, message: str, open_page: OpenPage, server: PanelServer
) -> None:
    async def script(call: FakeCall) -> None:
        await call.refuse(code, error_code=error_code, title=title, message=message)

    server.script = script
    panel = open_panel(open_page(), server)
    panel.get_by_role("button", name="Start the call").click()
    expect(panel).to_have_attribute("data-state", "error")
    expect(panel.get_by_role("alert")).to_contain_text(title)
    expect(panel.get_by_role("alert")).to_contain_text(message)
    expect(panel.get_by_role("alert")).to_contain_text("req-1")


# --- the end


def test_hanging_up_ends_the_call_and_leads_to_its_page(open_page: OpenPage, server: PanelServer) -> None:
    async def script(call: FakeCall) -> None:
        await call.ready()
        await call.received("hang_up")
        await call.ended("caller_ended")

    server.script = script
    panel = open_panel(open_page(), server)
    start(panel)
    expect(panel).to_have_attribute("data-call-id", "call_1")
    panel.get_by_role("button", name="Hang up").click()
    expect(panel).to_have_attribute("data-state", "ended")
    expect(panel.get_by_role("alert")).to_contain_text("You hung up.")
    expect(panel.get_by_role("link", name=CALL_PAGE)).to_have_attribute("href", "/panel/?call")


def test_escape_asks_before_it_ends_a_call_and_a_minimised_one_goes_on(
    open_page: OpenPage, server: PanelServer
) -> None:
    server.script = answering
    page = open_page()
    panel = open_panel(page, server)
    start(panel)
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="The call with Reception is still going on")).to_be_visible()
    page.get_by_role("button", name="Minimise", exact=True).click()
    expect(panel.locator("[data-sheet]")).to_be_hidden()
    expect(panel).to_have_attribute("data-state", "live")
    panel.get_by_role("group", name="Call with Reception").get_by_role("button", name="Reception").click()
    expect(panel.locator("[data-sheet]")).to_be_visible()


def test_escape_closes_an_idle_panel_and_gives_the_focus_back(open_page: OpenPage, server: PanelServer) -> None:
    page = open_page()
    panel = open_panel(page, server)
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(page.get_by_role("button", name="Talk", exact=True)).to_be_focused()


def test_the_panel_keeps_to_the_content_security_policy(
    open_page: OpenPage, server: PanelServer, complaints: list[str]
) -> None:
    server.script = answering
    page = open_page()
    start(open_panel(page, server))
    expect(page.locator("call-panel")).to_contain_text(GREETING)
    assert complaints == []


def test_it_fits_a_narrow_screen(open_page: OpenPage, server: PanelServer) -> None:
    server.script = answering
    page = open_page(viewport={"width": 360, "height": 740})
    panel = open_panel(page, server)
    start(panel)
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    for control in ("Hang up", "Sound devices", "Send"):
        box = panel.get_by_role("button", name=control).bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 360


# --- the playback worklet


def test_the_playback_worklet_falls_silent_at_a_clear(open_page: OpenPage, server: PanelServer) -> None:
    """Three seconds are buffered, half a second is played, then comes the clear: nothing of the rest is heard."""
    page = open_page()
    page.goto(f"{server.url}/panel/")
    loudness = page.evaluate(
        """async (worklet) => {
            const context = new OfflineAudioContext(1, 2 * 16000, 16000);
            await context.audioWorklet.addModule(worklet);
            const player = new AudioWorkletNode(context, "playback", { numberOfInputs: 0, outputChannelCount: [1] });
            player.connect(context.destination);
            const told = () => new Promise((resolve) => (player.port.onmessage = resolve));
            // While the rendering stands still, messages are delivered; a clear is answered by a report.
            const at = (seconds, say) => context.suspend(seconds).then(async () => { await say(); context.resume(); });
            const clear = async () => { player.port.postMessage({ clear: true }); await told(); };
            const steps = [
                at(0.1, async () => {
                    await clear();
                    const frame = () => new Int16Array(320).fill(8000).buffer;
                    for (let i = 0; i < 150; i++) player.port.postMessage({ frame: frame() });
                    await new Promise((resolve) => setTimeout(resolve, 300));
                }),
                at(0.5, clear),
            ];
            const [sound] = await Promise.all([context.startRendering(), ...steps]);
            const samples = sound.getChannelData(0);
            const peak = (from, to) => Math.max(...samples.subarray(from * 16000, to * 16000).map(Math.abs));
            return { before: peak(0.2, 0.5), after: peak(0.51, 2) };
        }""",
        page.locator("call-panel").get_attribute("data-playback"),
    )
    assert loudness["before"] > 0.2
    assert loudness["after"] == 0
