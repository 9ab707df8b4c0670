"""What an agent is: its draft, its immutable versions, and the accounts with vendors that it may use."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.urls import reverse

from accounts.models import Organization, User
from builder import vendors
from builder.config import AgentConfig
from builder.tools.models import Secret, Tool
from core.fields import EncryptedTextField
from core.ids import PrefixedIdField

__all__ = ["Agent", "AgentVersion", "ModelConnection", "Secret", "Tool"]


class ModelConnection(models.Model):
    """The workspace's account with a vendor of speech, language models or text messages."""

    id = PrefixedIdField(prefix="conn")
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="model_connections")
    vendor = models.CharField(max_length=40)
    """An id of `builder.vendors`."""
    name = models.CharField(max_length=80)
    base_url = models.CharField(max_length=300, blank=True)
    """Empty: the vendor's own."""
    api_key = EncryptedTextField(blank=True)
    account_number = models.CharField(max_length=80, blank=True)
    """Which account it is, with vendors whose keys do not say that."""
    default_model = models.CharField(max_length=120, blank=True)
    """The language model of agents that name none. Empty: the vendor's first one."""
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organization", "name"], name="connection_name_once"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def address(self) -> str:
        """Where its requests go."""
        known = vendors.vendors().get(self.vendor)
        return self.base_url or (known.base_url if known else "")


class Agent(models.Model):
    """A voice agent. `draft` is an `AgentConfig` as JSON, edited in place; calls run versions, never the draft."""

    id = PrefixedIdField(prefix="agent")
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="agents")
    name = models.CharField(max_length=120)
    draft = models.JSONField()
    draft_revision = models.PositiveIntegerField(default=1)
    """Grows with every saved edit, so that an edit made on an older draft is noticed."""
    live_version = models.ForeignKey("AgentVersion", models.SET_NULL, null=True, blank=True, related_name="+")
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    deleted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-updated_at"]
        indexes: ClassVar = [models.Index(fields=["organization", "-updated_at"], name="agent_list")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("agent", kwargs={"workspace": self.organization.slug, "agent_id": self.pk})

    _parsed: tuple[Any, AgentConfig] | None = None

    @property
    def draft_config(self) -> AgentConfig:
        """Read once for each draft that is put here: a large one takes milliseconds, and a page asks for it often."""
        if self._parsed is None or self._parsed[0] is not self.draft:
            self._parsed = self.draft, AgentConfig.model_validate(self.draft)
        return self._parsed[1]

    @property
    def configs(self) -> list[AgentConfig]:
        """The draft's, and the live version's if there is one: what either refers to is in use."""
        return [self.draft_config, *([self.live_version.parsed_config] if self.live_version else [])]

    @property
    def has_unpublished_changes(self) -> bool:
        """Does the draft say something else than what callers reach? True also when nothing was published yet."""
        return self.live_version is None or self.live_version.parsed_config != self.draft_config


class AgentVersion(models.Model):
    """An immutable copy of an agent's config, which is what calls run.

    A published version has a `number`, counted from 1. A test call of an unpublished draft runs a snapshot,
    which has none; snapshots of the same content are shared by `content_hash`.
    """

    id = PrefixedIdField(prefix="ver")
    agent = models.ForeignKey(Agent, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField(null=True, blank=True)
    config = models.JSONField()
    content_hash = models.CharField(max_length=64)
    note = models.CharField(max_length=300, blank=True)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["-created_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["agent", "number"], name="version_number_once"),
            models.UniqueConstraint(
                fields=["agent", "content_hash"], condition=models.Q(number=None), name="snapshot_content_once"
            ),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """How people see it: "v3", or "draft" for a snapshot."""
        return f"v{self.number}" if self.number else "draft"

    @property
    def parsed_config(self) -> AgentConfig:
        return AgentConfig.model_validate(self.config)


# Django looks for an app's models here.
from builder.drafts import models as drafts  # noqa: E402, F401
from builder.gallery import models as gallery  # noqa: E402, F401
from builder.imports import models as imports  # noqa: E402, F401
from builder.knowledge import models as knowledge  # noqa: E402, F401
from builder.measures import models as measures  # noqa: E402, F401
from builder.pronunciations import models as pronunciations  # noqa: E402, F401
from builder.sounds import models as sounds  # noqa: E402, F401
