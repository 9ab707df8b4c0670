"""How many usage events a second are recorded, and recorded and charged: `make bench-billing`.

Two processes, one for each core, report facts in batches, as calls and the models' API do, to a database that is thrown
away: SQLite, or the Postgres of DATABASE_URL. Each fact is unique, and a tenth of them are reported twice.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time

BATCH = 100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--report", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.report:
        what, number = options.report
        work(what, number, options.seconds)
        return
    with tempfile.TemporaryDirectory(prefix="callwright-bench-") as home:
        os.environ |= {"CALLWRIGHT_HOME": home, "DJANGO_SETTINGS_MODULE": "config.settings", "DEFAULT_PLAN": "scale"}
        for name in ("REDIS_URL", "CELERY_BROKER_URL"):
            os.environ.pop(name, None)
        prepare(options.processes)
        database = "Postgres" if os.environ.get("DATABASE_URL") else "SQLite"
        for what in ("recorded", "recorded and charged"):
            rate = measure(what, options.processes, options.seconds)
            print(f"{database}, {options.processes} processes: {rate:,.0f} usage events/s {what}")


def prepare(processes: int) -> None:
    """A workspace for each process, so that both the same table and different ledgers are written to."""
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    from accounts.models import Organization

    for number in range(processes):
        Organization.objects.create(name=f"Bench {number}", slug=f"bench-{number}")


def measure(what: str, processes: int, seconds: float) -> float:
    """Facts per second that all processes together have stored."""
    from billing.usage.models import UsageEvent

    before = UsageEvent.objects.count()
    command = [sys.executable, "-m", "benchmarks.billing", "--seconds", str(seconds), "--report", what]
    children = [subprocess.Popen([*command, str(number)]) for number in range(processes)]
    for child in children:
        if child.wait():
            sys.exit("A process failed.")
    return (UsageEvent.objects.count() - before) / seconds


def work(what: str, number: str, seconds: float) -> None:
    """Report facts for so many seconds, from when this process is ready."""
    import django

    django.setup()
    from django.utils import timezone

    from accounts.models import Organization
    from billing.usage.services import Fact, usage_charge, usage_record

    organization = Organization.objects.get(slug=f"bench-{number}")
    usage_record(organization=organization, facts=[])
    end, busy = time.monotonic() + seconds, time.process_time()
    batch: list[Fact] = []
    count = 0
    while time.monotonic() < end:
        batch = batch[: BATCH // 10]  # reported again
        for count in range(count, count + BATCH - len(batch)):  # noqa: B020
            batch.append(
                Fact(
                    key=f"{what}:{count}",
                    meter="agent_seconds" if count % 2 else "tts_characters",
                    quantity=1 + count % 600,
                    occurred_at=timezone.now(),
                    call_id=f"call_{count // 4}",
                    agent_id="agent_1",
                    capability="agent" if count % 2 else "tts",
                )
            )
        count += 1
        events = usage_record(organization=organization, facts=batch)
        if what != "recorded":
            usage_charge(organization=organization, events=events)
    busy = time.process_time() - busy
    each = f"{count / busy:,.0f} for each second of processor"
    print(f"  process {number}: {count:,} facts {what} in {busy:.1f} s: {each}")


if __name__ == "__main__":
    main()
