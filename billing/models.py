"""What a workspace pays its providers, where that is not the list price."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from accounts.models import Organization, User
from core.ids import PrefixedIdField


class ProviderPrice(models.Model):
    """A workspace's own price of a unit of a vendor's model, from a moment on. Rows are only added, so that an old call
    keeps its price; the newest one counts. Without `micro_per_million` it is the list price again."""

    id = PrefixedIdField(prefix="price")
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="provider_prices")
    vendor = models.CharField(max_length=40)
    model = models.CharField(max_length=120)
    """`*` stands for every model that has no price of its own."""
    unit = models.CharField(max_length=30)
    """A key of `billing.units.UNITS`."""
    micro_per_million = models.BigIntegerField(null=True)
    effective_from = models.DateTimeField()
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")

    class Meta:
        ordering: ClassVar = ["effective_from", "id"]
        indexes: ClassVar = [models.Index(fields=["organization", "effective_from"], name="prices_by_time")]

    def __str__(self) -> str:
        return f"{self.vendor} {self.model} {self.unit}"


# Django looks for an app's models here.
from billing.invoices import models as invoices  # noqa: E402, F401
from billing.ledger import models as ledger  # noqa: E402, F401
from billing.limits import models as limits  # noqa: E402, F401
from billing.payments import models as payments  # noqa: E402, F401
from billing.plans import models as plans  # noqa: E402, F401
from billing.reports import models as reports  # noqa: E402, F401
from billing.usage import models as usage  # noqa: E402, F401
