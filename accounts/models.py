"""People, the organizations they work in, and the record of what they did."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.models import AbstractUser, BaseUserManager
from django.db import models

from core.ids import PrefixedIdField


class UserManager(BaseUserManager["User"]):
    """Makes users, who are known by their email address."""

    def create_user(self, email: str, password: str | None = None, **fields: object) -> User:
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: object) -> User:
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractUser):
    """A person. They sign in with their email address and have no user name."""

    id = PrefixedIdField(prefix="user")
    username = None  # type: ignore[assignment]
    email = models.EmailField("email address", unique=True)
    name = models.CharField(max_length=120, blank=True)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects: ClassVar[UserManager] = UserManager()  # type: ignore[assignment]

    def __str__(self) -> str:
        return self.name or self.email


class Organization(models.Model):
    """What owns agents, calls and money; the interface calls it a workspace. `slug` is in every address."""

    id = PrefixedIdField(prefix="org")
    name = models.CharField(max_length=120)
    slug = models.SlugField(max_length=60, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    members = models.ManyToManyField(User, through="Membership", related_name="organizations")

    def __str__(self) -> str:
        return self.name


class Role(models.TextChoices):
    """What a member may do; each role may do all that the ones below it may."""

    OWNER = "owner", "Owner"
    ADMIN = "admin", "Admin"
    MEMBER = "member", "Member"
    VIEWER = "viewer", "Viewer"


class Membership(models.Model):
    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.MEMBER)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "organization"], name="membership_once"),
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.organization} as {self.role}"


class ApiKey(models.Model):
    """What a program shows to act for a workspace; `accounts.api_keys` has its form. Its secret is not stored."""

    class Kind(models.TextChoices):
        STANDARD = "standard", "Standard"
        """Agents and calls."""
        ADMIN = "admin", "Admin"
        """Usage, and nothing that a standard key is for: the two are kept by different people."""

    id = PrefixedIdField(prefix="key")
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=80)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    public_id = models.CharField(max_length=8, unique=True)
    """The part of the key by which it is found."""
    secret_hash = models.CharField(max_length=64)
    """SHA-256 of the secret part, in hex."""
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    """Kept to the minute."""

    class Meta:
        ordering: ClassVar = ["-created_at"]

    def __str__(self) -> str:
        return self.name


class AuditEntry(models.Model):
    """One thing that somebody did. Written by services in the transaction of the change itself."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="audit_entries")
    actor = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    action = models.CharField(max_length=60)
    """Namespaced, such as `agent.published`."""
    target = models.CharField(max_length=60, blank=True)
    """The id of what it was done to."""
    changes = models.JSONField(default=dict)
    """Field name to [before, after]; never holds a secret."""
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["organization", "-created_at"], name="audit_by_time")]

    def __str__(self) -> str:
        return f"{self.action} {self.target}"
