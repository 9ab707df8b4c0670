from __future__ import annotations

from typing import Any

from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate


class BillingConfig(AppConfig):
    name = "billing"

    def ready(self) -> None:
        from billing.stripe import checks  # noqa: F401  (registers them)

        post_migrate.connect(_seed, sender=self)


def _seed(using: str, apps: Any = apps, **_: Any) -> None:
    """The plans are there whenever their tables are: also after those were emptied."""
    from billing.plans.services import plans_seed

    if using == "default" and "plan" in apps.all_models["billing"]:
        plans_seed()
