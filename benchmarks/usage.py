"""How quick the pages of usage are with many calls: `python -m benchmarks.usage --calls 1000000`.

A year of made-up calls of 20 agents with two versions each, over three numbers and the browser, in a database that is
thrown away: SQLite, or the one of DATABASE_URL. The sums of every day and month are written as the roll-up writes them;
the facts and charges behind them only for the last day, which is then added up for real. Measured are whole requests
through every middleware and template, without the network: by the clock, and in CPU time of this process, which other
work on the machine changes less (a server of Postgres is another process).
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from secrets import token_urlsafe
from typing import Any

import numpy as np

AGENTS = 20
DAYS = 365
LINES = (("web", ""), ("inbound", "+15550100"), ("inbound", "+15550101"), ("outbound", "+15550102"))
REASONS = ("caller_ended", "agent_ended", "inactivity", "transferred", "error")
COMPONENTS = (
    ("agent", "agent_seconds", "", ""),
    ("telephony", "telephony_seconds", "", ""),
    ("stt", "stt_ms", "deepgram", "nova-3"),
    ("llm", "llm_input_token", "openai", "gpt-4.1-mini"),
    ("llm", "llm_cached_token", "openai", "gpt-4.1-mini"),
    ("llm", "llm_output_token", "openai", "gpt-4.1-mini"),
    ("tts", "tts_character", "cartesia", "sonic-3.6"),
)
AT_ONCE = 10_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=1_000_000)
    parser.add_argument("--requests", type=int, default=60)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="callwright-bench-") as home:
        os.environ |= {"CALLWRIGHT_HOME": home, "DJANGO_SETTINGS_MODULE": "config.settings", "LOG_LEVEL": "WARNING"}
        os.environ.pop("REDIS_URL", None)
        measure(options.calls, options.requests)


def measure(calls: int, requests: int) -> None:
    """Fill a new installation, ask for its pages, and print how long that took."""
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    from django.db import connection
    from django.test import Client
    from django.urls import reverse

    from accounts.services import api_key_create, owner_setup

    owner, _ = owner_setup(email="owner@example.org", password=token_urlsafe(), organization_name="Benchmark")
    organization = owner.organizations.get()
    started = time.perf_counter()
    agents, day = fill(organization, owner, calls)
    print(f"{calls:,} calls on {connection.vendor}: written in {time.perf_counter() - started:.0f} s")
    found: dict[str, Any] = {"database": connection.vendor, "calls": calls}
    found["roll-up of a day"] = roll_up(organization, agents, day, calls // DAYS)
    client = Client(headers={"Accept": "text/html", "Host": "localhost"})
    client.force_login(owner)
    programs = []
    for name in ("month", "year"):  # a key may ask 120 times a minute
        _, key = api_key_create(organization=organization, actor=owner, name=name, kind="admin")
        programs.append(Client(headers={"X-API-Key": key, "Host": "localhost"}))
    usage, costs = (reverse(name, args=[organization.slug]) for name in ("usage", "costs"))
    one_day = f"since={day}T00:00:00%2B00:00&until={day + timedelta(days=1)}T00:00:00%2B00:00"
    year = {"start_ts": f"{day - timedelta(days=DAYS - 1)}T00:00:00Z", "interval": "day"}
    pages: dict[str, Callable[[], Any]] = {
        "usage, 30 days by agent": lambda: client.get(usage, {"period": "30", "by": "agent"}),
        "usage, 30 days by version": lambda: client.get(usage, {"period": "30", "by": "version"}),
        "usage, 30 days by capability": lambda: client.get(usage, {"period": "30", "by": "capability"}),
        "usage, 365 days by agent": lambda: client.get(usage, {"period": "365", "by": "agent"}),
        "usage, 365 days by version": lambda: client.get(usage, {"period": "365", "by": "version"}),
        "usage, 365 days by capability": lambda: client.get(usage, {"period": "365", "by": "capability"}),
        "costs, 30 days": lambda: client.get(costs, {"period": "30"}),
        "costs, 365 days": lambda: client.get(costs, {"period": "365"}),
        "calls of one agent on one day": lambda: client.get(
            f"{reverse('calls', args=[organization.slug])}?{one_day}&agent={agents[0].pk}"
        ),
        "API, 30 days": lambda: programs[0].get("/usage/agents", {"interval": "day"}),
        "API, 365 days": lambda: programs[1].get("/usage/agents", year),
    }
    for name, ask in pages.items():
        times, cpu = [], []
        for number in range(requests + 3):
            begun, worked = time.perf_counter(), time.process_time()
            response = ask()
            if response.status_code != 200:
                raise SystemExit(f"{name}: {response.status_code}")
            if number >= 3:  # the first ones load templates
                times.append(1000 * (time.perf_counter() - begun))
                cpu.append(1000 * (time.process_time() - worked))
        median, p95, cpu_p95 = statistics.median(times), *(float(np.percentile(each, 95)) for each in (times, cpu))
        print(f"{name}: median {median:.0f} ms, 95 % within {p95:.0f} ms (CPU {cpu_p95:.0f} ms)", flush=True)
        found[name] = {"median_ms": round(median, 1), "p95_ms": round(p95, 1), "cpu_p95_ms": round(cpu_p95, 1)}
    print(json.dumps(found))


def fill(organization: Any, owner: Any, calls: int) -> tuple[list[Any], Any]:
    """A year of calls and the sums of them. Gives the agents and the last day."""
    from builder.models import Agent, AgentVersion

    random = np.random.default_rng(0)
    agents = [
        Agent.objects.create(organization=organization, name=f"Agent {number:02}", draft={}) for number in range(AGENTS)
    ]
    versions = [
        AgentVersion.objects.create(agent=agent, number=number, config={}, content_hash=f"{agent.pk}{number}"[-64:])
        for agent in agents
        for number in (1, 2)
    ]
    today = datetime.now(tz=UTC).date()
    days = [today - timedelta(days=ago) for ago in range(DAYS)]
    for day in days:
        _fill_day(random, organization, versions, day, calls // DAYS)
    for month in {day.replace(day=1) for day in days}:
        _fill_month(organization, month)
    return agents, today


def _fill_day(random: np.random.Generator, organization: Any, versions: list[Any], day: Any, calls: int) -> None:
    from billing.reports.models import ComponentDay, UsageDay
    from telephony.models import Call
    from telephony.reports.models import OutcomeDay

    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    rows, combinations, outcomes = [], Counter[Any](), Counter[Any]()
    drawn = (random.integers(most, size=calls).tolist() for most in (len(versions), len(LINES), len(REASONS), 86_400))
    for number, (which, way, end, second) in enumerate(zip(*drawn, strict=True)):
        version, (direction, line), reason = versions[which], LINES[way], REASONS[end]
        told = (f"call_{day:%Y%m%d}{number:08}", version.agent_id, version.pk, direction, line, reason)
        rows.append((*told, midnight + timedelta(seconds=second)))
        combinations[version.agent_id, version.pk, line, direction] += 1
        outcomes[version.agent_id, reason] += 1
    _insert(Call, organization, rows)
    where = {"organization": organization, "day": day}
    UsageDay.objects.bulk_create(
        UsageDay(
            **where,
            agent_id=agent,
            version_id=version,
            number=line,
            direction=direction,
            calls=count,
            seconds=60 * count,
            platform=60_000 * count,
            own=9_000 * count,
        )
        for (agent, version, line, direction), count in combinations.items()
    )
    OutcomeDay.objects.bulk_create(
        OutcomeDay(**where, agent_id=agent, end_reason=reason, calls=count, seconds=60 * count, amount=69_000 * count)
        for (agent, reason), count in outcomes.items()
    )
    agents = Counter[str]()
    for (agent, *_), count in combinations.items():
        agents[agent] += count
    ComponentDay.objects.bulk_create(
        ComponentDay(
            **where,
            agent_id=agent,
            capability=capability,
            meter=meter,
            vendor=vendor,
            model=model,
            calls=count,
            quantity=600 * count,
            amount=3_000 * count,
        )
        for agent, count in agents.items()
        for capability, meter, vendor, model in COMPONENTS
    )


def _fill_month(organization: Any, month: Any) -> None:
    from billing.reports.models import ComponentDay, ComponentMonth, UsageDay, UsageMonth
    from billing.reports.rollup import month_rebuild
    from telephony.reports.models import OutcomeDay, OutcomeMonth

    for days, months in ((UsageDay, UsageMonth), (ComponentDay, ComponentMonth), (OutcomeDay, OutcomeMonth)):
        month_rebuild((organization.pk, month), days, months)


def _insert(kind: Any, organization: Any, rows: list[tuple[Any, ...]]) -> None:
    """Calls, by one statement: making a million of Django's objects would take longer than all else. Postgres is
    quicker still with COPY."""
    from django.db import connection, transaction

    started = datetime.now(tz=UTC)
    example = kind(
        organization=organization,
        channel="browser",
        state="ended",
        process="bench",
        duration_ms=60_000,
        started_at=started,
        heartbeat_at=started,
        ended_at=started,
        metered_at=started,
    )
    own = ("id", "agent_id", "version_id", "direction", "number", "end_reason", "started_at")
    shared = [field for field in kind._meta.concrete_fields if field.attname not in own]
    values = tuple(field.get_db_prep_save(field.pre_save(example, add=True), connection) for field in shared)
    columns = ", ".join(f'"{name}"' for name in (*own, *(field.column for field in shared)))
    table = f'"{kind._meta.db_table}" ({columns})'
    adapt = kind._meta.get_field("started_at").get_db_prep_save
    lines = [(*row[:-1], adapt(row[-1], connection), *values) for row in rows]
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {table} FROM STDIN") as copy:
                for line in lines:
                    copy.write_row(line)
        else:
            marks = ", ".join(["%s"] * (len(own) + len(values)))
            cursor.executemany(f"INSERT INTO {table} VALUES ({marks})", lines)  # noqa: S608


def roll_up(organization: Any, agents: list[Any], day: Any, calls: int) -> dict[str, float]:
    """The facts and charges of the last day, and how long it takes to add them up."""
    from billing.plans.services import subscription_ensure
    from billing.reports.rollup import day_rebuild
    from billing.usage.models import Charge, UsageEvent
    from telephony.models import Call
    from telephony.reports.rollup import outcomes_rebuild

    terms = subscription_ensure(organization=organization).plan_version
    known = Call.objects.filter(organization=organization, pk__startswith=f"call_{day:%Y%m%d}")
    facts = UsageEvent.objects.bulk_create(
        (
            UsageEvent(
                organization=organization,
                key=f"{call.pk}:{meter}",
                meter=meter,
                quantity=600,
                occurred_at=call.started_at,
                plan_version=terms,
                capability=capability,
                call_id=call.pk,
                agent_id=call.agent_id,
                version_id=call.version_id,
                number=call.number,
                direction=call.direction,
                vendor=vendor,
                model=model,
            )
            for call in known
            for capability, meter, vendor, model in COMPONENTS
        ),
        batch_size=AT_ONCE,
    )
    Charge.objects.bulk_create(
        (
            Charge(
                organization=organization, event=fact, number=0, kind="rating", unit="usd", rate_id="x", amount=3_000
            )
            for fact in facts
        ),
        batch_size=AT_ONCE,
    )
    times = []
    for _ in range(5):
        begun = time.perf_counter()
        day_rebuild((organization.pk, day))
        outcomes_rebuild((organization.pk, day))
        times.append(1000 * (time.perf_counter() - begun))
    print(f"adding up a day of {calls:,} calls ({len(facts):,} facts): median {statistics.median(times):.0f} ms")
    return {"facts": len(facts), "median_ms": round(statistics.median(times), 1)}


if __name__ == "__main__":
    main()
