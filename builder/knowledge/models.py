"""Folders, their documents, the passages of those, and the vectors of passages."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from django.db import models
from django.urls import reverse

from accounts.models import Organization, User
from core.ids import PrefixedIdField


class KnowledgeFolder(models.Model):
    """Documents that agents get together."""

    id = PrefixedIdField(prefix="kf")
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="knowledge_folders")
    name = models.CharField(max_length=80)
    revision = models.PositiveBigIntegerField(default=0)
    """Grows whenever what is searched changes, so that processes notice that their index is old."""
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organization", "name"], name="knowledge_folder_name_once"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("knowledge_folder", kwargs={"workspace": self.organization.slug, "folder_id": self.pk})


class Website(models.Model):
    """A page, or the pages that are reached from it, kept up to date. Each page is a document."""

    class Schedule(models.TextChoices):
        OFF = "off", "Never"
        DAILY = "daily", "Every day"
        WEEKLY = "weekly", "Every week"

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        READING = "reading", "Reading"
        READY = "ready", "Read"
        FAILED = "failed", "Failed"

    PERIODS: ClassVar = {Schedule.DAILY: timedelta(days=1), Schedule.WEEKLY: timedelta(days=7)}

    id = PrefixedIdField(prefix="site")
    folder = models.ForeignKey(KnowledgeFolder, models.CASCADE, related_name="websites")
    url = models.CharField(max_length=1000)
    """A page, or a sitemap."""
    most_pages = models.PositiveIntegerField(default=1)
    """1 reads the one page and follows no link."""
    depth = models.PositiveSmallIntegerField(default=0)
    """How many links a page may be away from the first one."""
    schedule = models.CharField(max_length=8, choices=Schedule.choices, default=Schedule.OFF)
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    problem = models.CharField(max_length=500, blank=True)
    """Why it could not be read, or what of it could not; for people."""
    pages_read = models.PositiveIntegerField(default=0)
    """In the visit that is going on, or in the last one."""
    changed_at = models.DateTimeField(auto_now=True)
    """When the work on it last got ahead."""
    refreshed_at = models.DateTimeField(null=True, blank=True)
    refresh_at = models.DateTimeField(null=True, blank=True)
    """When the schedule wants it read again."""

    class Meta:
        ordering: ClassVar = ["url"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["folder", "url"], name="knowledge_website_once"),
        ]

    def __str__(self) -> str:
        return self.url

    @property
    def is_busy(self) -> bool:
        return self.state in (self.State.WAITING, self.State.READING)


class Document(models.Model):
    """A file, a page or a typed text."""

    class Source(models.TextChoices):
        FILE = "file", "File"
        PAGE = "page", "Web page"
        TEXT = "text", "Typed text"

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        READING = "reading", "Reading"
        LEARNING = "learning", "Learning"
        """Its passages are found by their words; their vectors are being made."""
        READY = "ready", "Ready"
        FAILED = "failed", "Failed"

    BUSY: ClassVar = (State.WAITING, State.READING, State.LEARNING)

    id = PrefixedIdField(prefix="doc")
    folder = models.ForeignKey(KnowledgeFolder, models.CASCADE, related_name="documents")
    website = models.ForeignKey(Website, models.CASCADE, null=True, blank=True, related_name="documents")
    source = models.CharField(max_length=8, choices=Source.choices)
    name = models.CharField(max_length=200)
    url = models.CharField(max_length=1000, blank=True)
    storage_key = models.CharField(max_length=64, blank=True)
    """Where the uploaded or fetched bytes are; see `files`."""
    size = models.PositiveBigIntegerField(default=0)
    text = models.TextField(blank=True)
    """What was typed, or was read out of the file."""
    content_hash = models.CharField(max_length=64, blank=True)
    """The SHA-256 of what its passages were made of."""
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    """Pages while reading, passages while learning."""
    problem = models.CharField(max_length=500, blank=True)
    """Why it could not be read, or why its vectors are late; for people."""
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField()
    """When what it says last changed."""
    worked_at = models.DateTimeField(auto_now=True)
    """When the work on it last got ahead."""

    class Meta:
        ordering: ClassVar = ["name", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["website", "url"], condition=models.Q(website__isnull=False), name="knowledge_page_once"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        arguments = {"workspace": self.folder.organization.slug, "document_id": self.pk}
        return reverse("knowledge_document", kwargs=arguments)

    @property
    def is_busy(self) -> bool:
        return self.state in self.BUSY and not self.problem


class Chunk(models.Model):
    """A passage: what is searched, and what a model is given. It is never changed, only replaced."""

    document = models.ForeignKey(Document, models.CASCADE, related_name="chunks")
    position = models.PositiveIntegerField()
    text = models.TextField()
    heading = models.CharField(max_length=300, blank=True)
    """The headings that it stands under, outermost first, with " > " between."""
    page = models.PositiveIntegerField(null=True, blank=True)
    """Counted from 1, in documents that have pages."""
    content_hash = models.CharField(max_length=64)
    """Of text, heading and the document's name: chunks with the same hash have the same vector."""

    class Meta:
        ordering: ClassVar = ["document", "position"]
        indexes: ClassVar = [models.Index(fields=["document", "position"], name="knowledge_chunk_order")]

    def __str__(self) -> str:
        return f"{self.document_id} {self.position}"


class ChunkVector(models.Model):
    """A chunk as one model's vector: `dimensions` little-endian float32 of length 1."""

    chunk = models.ForeignKey(Chunk, models.CASCADE, related_name="vectors")
    model = models.CharField(max_length=180)
    """The `key` of the embedding model that made it."""
    dimensions = models.PositiveIntegerField()
    vector = models.BinaryField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["chunk", "model"], name="knowledge_vector_once"),
        ]

    def __str__(self) -> str:
        return f"{self.chunk_id} {self.model}"


class KnowledgeSettings(models.Model):
    """Which model makes a workspace's vectors: the local one, or `model` at `connection`.

    `serving_…` is the one that answers searches: after a change the old one, until the new vectors are all there.
    """

    organization = models.OneToOneField(Organization, models.CASCADE, related_name="knowledge_settings")
    connection = models.ForeignKey("builder.ModelConnection", models.RESTRICT, null=True, blank=True, related_name="+")
    model = models.CharField(max_length=120, blank=True)
    serving_connection = models.ForeignKey(
        "builder.ModelConnection", models.SET_NULL, null=True, blank=True, related_name="+"
    )
    serving_model = models.CharField(max_length=120, blank=True)
    problem = models.CharField(max_length=500, blank=True)
    """Why new vectors are late; for people."""

    def __str__(self) -> str:
        return f"{self.organization} {self.model or 'local'}"
