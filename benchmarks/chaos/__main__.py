"""Kills web, worker and voice processes at random while they hold calls, then proves the bills: `make chaos-billing`.

Calls run on fake models through the runtime of a real server. What really happened is known from the journals of the
processes and from the moments at which they were killed. The proof fails, with exit code 1, unless every call is billed
for its real duration to within one heartbeat, no call twice, no payment twice, no place or money is still held, and
`reconcile_billing` finds no difference.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import django

from benchmarks.chaos.players import PAYMENT, play

ROLES = ("voice", "voice", "voice", "worker", "web")
# A process lives so long at least once it has started to work.
CALM_SECONDS = 8.0
HEARTBEAT = 5.0
# Seconds that have begun are billed whole.
TOLERANCE = 1.0
PATIENCE_SECONDS = 900.0

_forks = multiprocessing.get_context("forkserver")


@dataclass
class Player:
    """A process in its role, started again whenever it was killed. `deaths` are moments by process id."""

    role: str
    calls: int
    deaths: dict[int, float] = field(default_factory=dict)
    process: ForkServerProcess | None = None
    ready: float = 0.0

    def start(self) -> None:
        self.process = _forks.Process(target=play, args=(self.role, self.calls))
        self.process.start()
        self.ready = 0.0

    def works_for(self, journals: Path) -> float:
        """For how many seconds it has done its work; 0 while it starts, which may take long on a busy machine."""
        if self.process is None or not (journals / f"{self.role}-{self.process.pid}").exists():
            return 0.0
        self.ready = self.ready or time.monotonic()
        return time.monotonic() - self.ready

    @property
    def is_over(self) -> bool:
        return self.process is not None and self.process.exitcode is not None

    def kill(self) -> None:
        """SIGKILL, of which a process hears nothing."""
        if self.process is None or self.process.pid is None or self.is_over:
            return
        self.deaths[self.process.pid] = time.time()
        self.process.kill()
        self.process.join()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--seed", type=int, default=None)
    options = parser.parse_args()
    random.seed(options.seed)
    with tempfile.TemporaryDirectory(prefix="callwright-chaos-") as home:
        os.environ |= {"CALLWRIGHT_HOME": home, "DJANGO_SETTINGS_MODULE": "config.settings", "LOG_LEVEL": "ERROR"}
        os.environ["DEFAULT_PLAN"] = "scale"
        for name in ("REDIS_URL", "CELERY_BROKER_URL"):
            os.environ.pop(name, None)
        django.setup()
        prepare()
        _forks.set_forkserver_preload(["benchmarks.chaos.ready"])
        players = [Player(role, options.calls) for role in ROLES]
        try:
            rage(players, options.calls, Path(home) / "journal")
        finally:
            for player in players:
                player.kill()
        return prove(players, Path(home) / "journal")


def prepare() -> None:
    from django.core.management import call_command

    from accounts.services import owner_setup

    call_command("migrate", verbosity=0)
    owner_setup(email="owner@example.org", password="the-owners-password", organization_name="Chaos")  # noqa: S106


def rage(players: list[Player], calls: int, journals: Path) -> None:
    """Kill at random until all calls have begun; then let those that go on come to their end, and the dead be found."""
    from telephony.models import Call

    give_up = time.monotonic() + PATIENCE_SECONDS
    for player in players:
        player.start()
    while (begun := Call.objects.count()) < calls and time.monotonic() < give_up:
        time.sleep(random.uniform(0.5, 3.0))
        alive = [player for player in players if player.works_for(journals) > CALM_SECONDS]
        if alive:
            victim = random.choice(alive)
            victim.kill()
            victim.start()
            print(f"\r{begun} calls begun, {sum(len(each.deaths) for each in players)} kills", end="", flush=True)
    print()
    voices = [player for player in players if player.role == "voice"]
    voices[0].kill()  # one more, with nobody to come after it
    while not all(player.is_over for player in voices) and time.monotonic() < give_up:
        time.sleep(0.2)
    while Call.objects.filter(state=Call.State.LIVE).exists() and time.monotonic() < give_up:
        time.sleep(0.5)


def prove(players: list[Player], journals: Path) -> int:
    """Compare the bills with what happened; 0 when they are right."""
    from django.core.management import call_command
    from django.core.management.base import CommandError

    from billing.ledger.models import Transfer
    from billing.limits.models import CallLease
    from billing.usage.meters import AGENT_SECONDS
    from billing.usage.models import Charge, UsageEvent
    from telephony.models import Call

    deaths = {pid: moment for player in players for pid, moment in player.deaths.items()}
    began, ended, held_by, paid = read(journals)
    faults = []
    off: list[float] = []
    cut = 0
    billed: dict[str, list[int]] = defaultdict(list)
    for event in UsageEvent.objects.filter(meter=AGENT_SECONDS):
        billed[event.call_id].append(event.quantity)
    for call in Call.objects.all():
        start = began.get(call.pk, call.started_at.timestamp())
        pid = held_by.get(call.pk, int(call.process.split(":")[1]))
        end = ended.get(call.pk) or deaths.get(pid)
        cut += call.pk not in ended
        if call.state != Call.State.ENDED:
            faults.append(f"{call.pk} is still live")
        elif end is None:
            faults.append(f"{call.pk} was neither ended nor killed")
        else:
            real, seconds = end - start, billed.get(call.pk, [])
            off.append(sum(seconds) - real)
            if len(seconds) > 1:
                faults.append(f"{call.pk} is billed {len(seconds)} times")
            elif abs(off[-1]) > HEARTBEAT + TOLERANCE:
                faults.append(f"{call.pk} ran {real:.1f} s and is billed {sum(seconds)} s ({call.end_reason})")
    ratings = Charge.objects.filter(kind=Charge.Kind.RATING).count()
    if ratings != UsageEvent.objects.count():
        faults.append(f"{UsageEvent.objects.count()} facts have {ratings} ratings")
    taken = Transfer.objects.filter(kind=Transfer.Kind.PURCHASE)
    if not paid <= taken.count() <= paid + sum(player.role == "web" for player in players) + len(deaths):
        faults.append(f"{paid} payments were made and {taken.count()} were taken")
    if taken.exclude(amount=PAYMENT).exists():
        faults.append("A payment has another amount")
    if open_ones := CallLease.objects.filter(closed_at=None).count():
        faults.append(f"{open_ones} places are still taken")
    try:
        call_command("reconcile_billing")
    except CommandError as error:
        faults.append(str(error))
    print(f"{len(off)} calls, {len(deaths)} kills, {cut} calls cut off by one, {paid} payments.")
    if off:
        print(
            f"Billed less real seconds: from {min(off):+.2f} to {max(off):+.2f} (one heartbeat is {HEARTBEAT:.0f} s)."
        )
    for fault in faults:
        print(f"FAULT: {fault}")
    print("Every call is billed for what ran, once." if not faults else f"{len(faults)} faults.")
    return 1 if faults else 0


def read(journals: Path) -> tuple[dict[str, float], dict[str, float], dict[str, int], int]:
    """When calls began and ended, which process held them, and how many payments were made."""
    began: dict[str, float] = {}
    ended: dict[str, float] = {}
    held_by: dict[str, int] = {}
    paid = 0
    for path in journals.iterdir():
        pid = int(path.name.rpartition("-")[2])
        for line in path.read_text().splitlines():
            happened = json.loads(line)
            call, moment = happened["about"], happened["at"]
            match happened["what"]:
                case "began":
                    began[call], held_by[call] = moment, pid
                case "ended":
                    ended[call] = moment
                case "paid":
                    paid += 1
    return began, ended, held_by, paid


if __name__ == "__main__":
    sys.exit(main())
