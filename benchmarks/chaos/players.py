"""The processes that are killed: `play` is what each does in its role.

Each writes a journal beside the database, a line for everything that it did: what really happened, for the proof.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

CALLS_AT_ONCE = 12
SHORTEST, LONGEST = 1.0, 16.0
PAYMENT = 1_000_000


@contextmanager
def journal(role: str) -> Iterator[TextIO]:
    path = Path(os.environ["CALLWRIGHT_HOME"]) / "journal"
    path.mkdir(exist_ok=True)
    with (path / f"{role}-{os.getpid()}").open("a", buffering=1) as lines:
        yield lines


def note(lines: TextIO, what: str, about: str) -> None:
    """One write, so that a kill leaves whole lines."""
    lines.write(json.dumps({"what": what, "about": about, "at": time.time()}) + "\n")


async def voice(wanted: int) -> None:
    """Hold calls through the runtime of a real server, on fake models, until `wanted` have been begun by all."""
    from builder.models import Agent
    from core.errors import ApiError
    from telephony import runtime
    from telephony.browser import Outbox
    from telephony.models import Call
    from tests.telephony.fakes import FakeProviders
    from voice.call import EndReason

    vars(runtime)["Providers"] = FakeProviders
    await runtime.start()
    here = runtime.current()
    agent = await Agent.objects.select_related("organization", "live_version").aget()
    owner = await agent.organization.members.aget()

    async def hold(lines: TextIO) -> None:
        outbox = Outbox()
        sending = asyncio.create_task(outbox.run(_nowhere))
        try:
            live = await here.start_call(agent=agent, user=owner, outbox=outbox)
        except ApiError:
            sending.cancel()
            return
        note(lines, "began", live.facts.id)
        await asyncio.sleep(random.uniform(SHORTEST, LONGEST))
        note(lines, "ended", live.facts.id)
        live.conversation.end(EndReason.CALLER)
        if live.task is not None:
            await live.task
        sending.cancel()

    with journal("voice") as lines:
        calls: set[asyncio.Task[None]] = set()
        while await Call.objects.acount() < wanted:
            if len(calls) < CALLS_AT_ONCE:
                calls.add(task := asyncio.create_task(hold(lines)))
                task.add_done_callback(calls.discard)
            await asyncio.sleep(random.uniform(0.2, 1.0))
        await asyncio.gather(*calls)
    await here.stop()


async def _nowhere(message: object) -> None:
    """The browser of a call that nobody watches."""


def web() -> None:
    """Take payments, each of which is reported again and again until it was taken."""
    from accounts.models import Organization
    from billing.ledger.services import prepaid_add

    organization = Organization.objects.get()
    with journal("web") as lines:
        for number in range(sys.maxsize):
            for _ in range(2):
                prepaid_add(organization=organization, amount=PAYMENT, key=f"payment {os.getpid()} {number}")
            note(lines, "paid", f"{os.getpid()} {number}")
            time.sleep(random.uniform(0.1, 0.5))


def worker() -> None:
    """Do the schedule's work, over and over: recover calls, meter them, charge what was forgotten, correct rates."""
    from accounts.models import Organization
    from billing.tasks import look_after_billing
    from billing.usage.models import UsageEvent
    from billing.usage.services import usage_rerate
    from telephony.tasks import meter_missed_calls, recover_calls

    organization = Organization.objects.get()
    with journal("worker"):
        while True:
            for task in (recover_calls, meter_missed_calls, look_after_billing):
                task()
            events = list(UsageEvent.objects.select_related("plan_version").order_by("?")[:5])
            usage_rerate(organization=organization, events=events, reason="chaos")
            time.sleep(random.uniform(0.2, 1.0))


def play(role: str, calls: int) -> None:
    """Work in a role until killed; a voice until so many `calls` have been begun by all."""
    match role:
        case "voice":
            asyncio.run(voice(calls))
        case "web":
            web()
        case "worker":
            worker()
