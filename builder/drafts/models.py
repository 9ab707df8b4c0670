"""What drafts said, edit by edit."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from accounts.models import User
from builder.config import AgentConfig


class DraftRevision(models.Model):
    """What a draft said at one of its revisions. Undoing and redoing make revisions too, of states that there were.

    A state is known by the revision that first had it: `state`. `before` is the state that undoing leads to, None at
    the first one that is known. Redoing leads along `before` backwards from `newest`, the state of the last real edit.
    """

    agent = models.ForeignKey("builder.Agent", models.CASCADE, related_name="draft_revisions")
    revision = models.PositiveIntegerField()
    state = models.PositiveIntegerField()
    before = models.PositiveIntegerField(null=True)
    newest = models.PositiveIntegerField()
    name = models.CharField(max_length=120)
    config = models.JSONField()
    what = models.CharField(max_length=200, blank=True)
    """The settings that the edit changed, in the words of the page."""
    actor = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["-revision"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["agent", "revision"], name="draft_revision_once")]

    def __str__(self) -> str:
        return f"revision {self.revision} of {self.agent_id}"

    @property
    def parsed_config(self) -> AgentConfig:
        return AgentConfig.model_validate(self.config)
