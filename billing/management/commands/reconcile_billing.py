"""`manage.py reconcile_billing`: proves that the ledger is what facts and rates make of it."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import Organization
from billing.reconcile import reconcile


class Command(BaseCommand):
    help = "Prove that the ledger is what facts and rates make of it, and print every difference."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--workspace", help="the address of one workspace; all of them without it")

    def handle(self, *args: Any, workspace: str | None = None, **options: Any) -> None:
        organization = None
        if workspace is not None:
            organization = Organization.objects.filter(slug=workspace).first()
            if organization is None:
                raise CommandError(f"There is no workspace {workspace}.")
        count = 0
        for difference in reconcile(organization):
            self.stdout.write(str(difference))
            count += 1
        if count:
            raise CommandError(f"The ledger differs in {count} places.")
        self.stdout.write("The ledger is what facts and rates make of it: no difference.")
