"""Where agents came from."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from accounts.models import User
from builder.imports.report import Report
from core.ids import PrefixedIdField


class AgentImport(models.Model):
    """The import that made an agent. `report` is a `builder.imports.report.Report` as JSON."""

    id = PrefixedIdField(prefix="import")
    agent = models.OneToOneField("builder.Agent", models.CASCADE, related_name="origin")
    format = models.CharField(max_length=40)
    """An id of `builder.imports.formats`."""
    report = models.JSONField()
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.agent} from {self.format}"

    @property
    def parsed_report(self) -> Report:
        return Report.from_json(self.report)
