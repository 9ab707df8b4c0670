"""The tools of a call: what a model asks for is checked, run in time, and told."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any

import pytest

from tests.voice.fakes import FakeControl
from voice import events
from voice.clock import CallClock, run_virtual
from voice.events import Event
from voice.providers.base import ToolRequest, ToolSchema
from voice.toolbox import INTERRUPTED, RUNNING, UNTAKEN, Result, Toolbox
from voice.tools import Action, CallControl, EndCall, Outcome, ToolError, ToolPolicy


class Slow:
    """Takes `takes` seconds, and gives `result` or raises it."""

    def __init__(
        self,
        name: str,
        result: str | BaseException = "",
        *,
        takes: float = 1.0,
        action: Action | None = None,
        parameters: Mapping[str, Any] | None = None,
        **policy: Any,
    ) -> None:
        self.schema = ToolSchema(name, "", parameters or {"type": "object"})
        self.policy = ToolPolicy(**policy)
        self.takes = takes
        self.result = result if isinstance(result, BaseException) else Outcome(result or f"{name} done", action)
        self.runs: list[Mapping[str, object]] = []
        self.finished = 0

    async def run(self, arguments: Mapping[str, object], call: CallControl) -> Outcome:
        self.runs.append(arguments)
        await asyncio.sleep(self.takes)
        if isinstance(self.result, BaseException):
            raise self.result
        self.finished += 1
        return self.result


class Box:
    """A toolbox with its events and late results."""

    def __init__(self, *tools: Slow) -> None:
        self.events: list[Event] = []
        self.late: list[tuple[float, str]] = []
        self.control = FakeControl()
        self.clock = CallClock(asyncio.get_running_loop())
        self.toolbox = Toolbox(
            tools, control=self.control, clock=self.clock, emit=self.events.append, late=self._told_late
        )

    def _told_late(self, result: Result) -> None:
        self.late.append((self.clock.now(), result.text))

    async def run(self, *names: str, arguments: str = "{}", turn: int = 1) -> list[str]:
        asked = [ToolRequest(f"{name}-{index}", name, arguments) for index, name in enumerate(names)]
        return [result.text for result in await self.toolbox.run(turn, asked)]

    async def interrupt(self, *names: str, after: float) -> None:
        """Run tools, and give up waiting for them after a while, as an interruption does."""
        running = asyncio.ensure_future(self.run(*names))
        await asyncio.sleep(after)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    @property
    def returned(self) -> list[tuple[str, str, str]]:
        return [(e.name, e.result, e.error) for e in self.events if isinstance(e, events.ToolReturned)]


def virtual(work: Coroutine[Any, Any, None]) -> None:
    run_virtual(work)


def test_tools_run_side_by_side_and_answer_in_order() -> None:
    async def work() -> None:
        box = Box(Slow("one", takes=2.0), Slow("two", takes=1.0))
        assert await box.run("one", "two") == ["one done", "two done"]
        assert box.clock.now() == pytest.approx(2.0)
        assert [name for name, _, _ in box.returned] == ["two", "one"]

    virtual(work())


def test_a_tool_that_takes_too_long_is_given_up_in_words() -> None:
    async def work() -> None:
        slow = Slow("slow", takes=9.0, timeout=2.5)
        [text] = await Box(slow).run("slow")
        assert text == "Error: It took longer than 2.5 s and was given up. Tell the caller that it did not work."
        assert slow.finished == 0

    virtual(work())


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        (ToolError("No table is free."), "Error: No table is free."),
        (ZeroDivisionError("by zero"), "Error: The tool broke: ZeroDivisionError: by zero"),
        (TimeoutError("its own"), "Error: The tool broke: TimeoutError: its own"),
        (asyncio.CancelledError(), "Error: The tool gave up."),
    ],
)
def test_a_tool_that_fails_is_told_and_harms_no_other(failure: BaseException, told: str) -> None:
    async def work() -> None:
        box = Box(Slow("broken", failure), Slow("well"))
        assert await box.run("broken", "well") == [told, "well done"]

    virtual(work())


def test_a_long_result_is_cut_off_and_the_model_knows() -> None:
    async def work() -> None:
        [text] = await Box(Slow("long", "x" * 50, result_limit=20)).run("long")
        assert text == "x" * 20 + "\n[cut off: the result was 50 characters long]"

    virtual(work())


def test_the_speech_before_tools_is_that_of_the_first_which_has_some() -> None:
    async def work() -> None:
        box = Box(Slow("quiet"), Slow("loud", speech="Let me look."))
        names = [ToolRequest("1", "nothing", "{}"), ToolRequest("2", "quiet", "{}"), ToolRequest("3", "loud", "{}")]
        assert box.toolbox.speech(names) == "Let me look."
        assert box.toolbox.speech(names[:2]) == ""

    virtual(work())


# --- arguments

DAY = {"type": "object", "properties": {"day": {"enum": ["Monday", "Friday"]}}, "required": ["day"]}


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ('{"day": ', "The arguments are not a JSON object."),
        ("[1]", "The arguments are not a JSON object."),
        ("{}", "The arguments are wrong: 'day' is a required property."),
        ('{"day": "Sunday"}', "The argument day is wrong: 'Sunday' is not one of ['Monday', 'Friday']."),
    ],
)
def test_arguments_that_do_not_fit_can_be_mended_once(arguments: str, complaint: str) -> None:
    async def work() -> None:
        tool = Slow("book", parameters=DAY)
        box = Box(tool)
        assert (await box.run("book", arguments=arguments))[0].startswith(f"Error: {complaint} Nothing was done. Call")
        [again] = await box.run("book", arguments=arguments)
        assert again.endswith("Do not call it again now: ask the caller for what is missing.")
        assert "Call it again" in (await box.run("book", arguments=arguments, turn=2))[0]
        assert await box.run("book", arguments='{"day": "Friday"}') == ["book done"]
        assert tool.runs == [{"day": "Friday"}]

    virtual(work())


def test_what_is_wrong_is_told_in_short() -> None:
    async def work() -> None:
        box = Box(Slow("book", parameters=DAY))
        assert len((await box.run("book", arguments=f'{{"day": "{"x" * 9_000}"}}'))[0]) < 600

    virtual(work())


def test_a_schema_fetches_nothing_from_elsewhere() -> None:
    async def work() -> None:
        elsewhere = {"type": "object", "properties": {"day": {"$ref": "http://127.0.0.1:9/day.json"}}}
        [text] = await Box(Slow("book", parameters=elsewhere)).run("book", arguments='{"day": 1}')
        assert "Unresolvable" in text

    virtual(work())


# --- what goes on in the background, or after an interruption


def test_a_background_tool_is_not_waited_for() -> None:
    async def work() -> None:
        box = Box(Slow("order", takes=5.0, background=True), Slow("look"))
        assert await box.run("order", "look") == [RUNNING, "look done"]
        assert box.clock.now() == pytest.approx(1.0)
        await asyncio.sleep(10)
        assert box.late == [(5.0, "order done")]

    virtual(work())


def test_an_interruption_stops_a_tool_that_may_be_stopped() -> None:
    async def work() -> None:
        tool = Slow("look")
        box = Box(tool)
        await box.interrupt("look", after=0.5)
        assert box.toolbox.leave("look-0", whole=False) == INTERRUPTED
        await asyncio.sleep(5)
        assert (tool.finished, box.late) == (0, [])
        assert box.returned == [("look", "", INTERRUPTED)]

    virtual(work())


@pytest.mark.parametrize("policy", [{"cancellable": False}, {"background": True}])
def test_what_must_not_be_left_half_done_goes_on_after_an_interruption(policy: dict[str, Any]) -> None:
    async def work() -> None:
        box = Box(Slow("pay", takes=3.0, **policy), Slow("look", takes=9.0))
        await box.interrupt("pay", "look", after=0.5)
        assert box.toolbox.leave("pay-0", whole=False) == RUNNING
        await asyncio.sleep(5)
        assert box.late == [(3.0, "pay done")]

    virtual(work())


def test_a_tool_is_stopped_as_soon_as_its_turn_is_kept_without_it() -> None:
    """The turn is kept before the reply's task has noticed that it is cancelled."""

    async def work() -> None:
        tool = Slow("look")
        box = Box(tool)
        running = asyncio.ensure_future(box.run("look"))
        await asyncio.sleep(0.5)
        running.cancel()
        assert box.toolbox.leave("look-0", whole=False) == INTERRUPTED
        await asyncio.sleep(5)
        assert tool.finished == 0

    virtual(work())


def test_what_was_done_before_an_interruption_is_told_as_done() -> None:
    async def work() -> None:
        box = Box(Slow("book", takes=0.2), Slow("look", takes=9.0))
        await box.interrupt("book", "look", after=0.5)
        assert box.toolbox.leave("book-0", whole=False) == "book done"
        assert box.toolbox.leave("look-1", whole=False) == INTERRUPTED

    virtual(work())


def test_what_an_interruption_kept_from_happening_is_told_as_not_done() -> None:
    async def work() -> None:
        box = Box(Slow("end", "Over.", takes=0.0, action=EndCall()))
        assert await box.run("end") == ["Over."]
        assert box.toolbox.leave("end-0", whole=True) == "Over."
        assert box.toolbox.leave("end-0", whole=False) == UNTAKEN
        assert box.toolbox.leave("never begun", whole=False) == INTERRUPTED

    virtual(work())


def test_when_the_call_is_over_everything_stops_and_nothing_is_told_late() -> None:
    async def work() -> None:
        tools: Sequence[Slow] = (Slow("order", takes=5.0, background=True), Slow("pay", takes=5.0, cancellable=False))
        box = Box(*tools)
        await box.interrupt("order", "pay", after=0.5)
        await box.toolbox.close()
        await asyncio.sleep(10)
        assert [tool.finished for tool in tools] == [0, 0]
        assert box.late == []
        assert len(box.returned) == 2

    virtual(work())
