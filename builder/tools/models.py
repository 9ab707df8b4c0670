"""The workspace's library of tools, and the secrets that they are used with."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.urls import reverse

from accounts.models import Organization
from builder.tools.kinds import CONFIGS, ToolConfig
from core.fields import EncryptedTextField
from core.ids import PrefixedIdField


class Tool(models.Model):
    """Something that agents can do besides speaking. `config` is JSON of the kind's class in `builder.tools.kinds`."""

    class Kind(models.TextChoices):
        HTTP = "http", "HTTP request"
        CLIENT = "client", "Caller's application"
        MCP = "mcp", "MCP server"
        WEB_SEARCH = "web_search", "Web search"
        SMS = "sms", "Text message"

    id = PrefixedIdField(prefix="tool")
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="tools")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    name = models.CharField(max_length=64)
    """What the model calls it."""
    description = models.TextField(max_length=2_000, blank=True)
    """What the model knows of it: what it does, and when to use it."""
    config = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    tested_at = models.DateTimeField(null=True, blank=True)
    """When it last worked in a test."""

    class Meta:
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["organization", "name"], name="tool_name_once")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("tool", kwargs={"workspace": self.organization.slug, "tool_id": self.pk})

    @property
    def parsed_config(self) -> ToolConfig:
        return CONFIGS[self.kind].model_validate(self.config)


class Secret(models.Model):
    """A text that requests of tools carry as `{{secret__name}}`. It goes in and never comes out."""

    id = PrefixedIdField(prefix="secret")
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="secrets")
    name = models.CharField(max_length=40)
    value = EncryptedTextField()
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["organization", "name"], name="secret_name_once")]

    def __str__(self) -> str:
        return self.name
