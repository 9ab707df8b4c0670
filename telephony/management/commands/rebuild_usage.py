"""`manage.py rebuild_usage`: add usage up anew, from its facts."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from billing.reports.rollup import changed_days, day_rebuild
from telephony.reports.rollup import outcomes_rebuild


class Command(BaseCommand):
    help = "Add up anew, from facts and charges, what the pages of usage and costs show. It can be repeated."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--since", type=date.fromisoformat, help="the first UTC day, such as 2026-11-01")

    def handle(self, *args: Any, since: date | None, **options: Any) -> None:
        days = [day for day in changed_days(since=None) if since is None or day[1] >= since]
        for day in days:
            day_rebuild(day)
            outcomes_rebuild(day)
        self.stdout.write(f"{len(days)} days were added up.")
