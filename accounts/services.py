"""What changes people, organizations and memberships. Each is one transaction with its audit entry."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.text import slugify

from accounts.api_keys import new_token
from accounts.models import ApiKey, AuditEntry, Membership, Organization, Role, User
from core.errors import ApiError, ErrorCode
from core.locks import transaction_lock

# Words that a workspace's address may not be, since they read like parts of the site.
RESERVED_SLUGS = frozenset({"new", "admin", "api", "settings", "setup", "static", "accounts"})


def audit(
    *,
    organization: Organization,
    actor: User | None,
    action: str,
    target: str = "",
    changes: Mapping[str, tuple[Any, Any]] | None = None,
) -> AuditEntry:
    """Write down that `actor` (None: the system) did `action` to the row with id `target`, in the deed's transaction.

    `changes` is field name to (before, after). Secrets have no place in it: give ("", "changed") for those.
    """
    return AuditEntry.objects.create(
        organization=organization,
        actor=actor,
        action=action,
        target=target,
        changes={field: list(pair) for field, pair in (changes or {}).items()},
    )


@transaction.atomic
def owner_setup(*, email: str, password: str, organization_name: str, name: str = "") -> tuple[User, str]:
    """Make the first user of an empty installation, and their workspace. Gives the user and the page to land on.

    Raises ApiError (conflict) when there is a user already, also when two people try at once.
    """
    transaction_lock("accounts.owner_setup")
    if User.objects.exists():
        raise ApiError(ErrorCode.CONFLICT, "Already set up", "This installation has an owner. Sign in instead.")
    user = User.objects.create_superuser(email, password, name=name)  # who sets it up administers it
    EmailAddress.objects.create(user=user, email=user.email, primary=True)
    _, landing = organization_create(name=organization_name, owner=user)
    return user, landing


@transaction.atomic
def organization_create(*, name: str, owner: User) -> tuple[Organization, str]:
    """Make a workspace that `owner` owns. Gives it and the path of the page to land on ("" when none is special).

    Each callable of `ON_ORGANIZATION_CREATED` furnishes it; the first thing so made that has a page is where to land.
    """
    transaction_lock("accounts.organization_slug")
    organization = Organization.objects.create(name=name, slug=_free_slug(name))
    Membership.objects.create(user=owner, organization=organization, role=Role.OWNER)
    audit(organization=organization, actor=owner, action="organization.created", target=organization.id)
    landing = ""
    for path in settings.ON_ORGANIZATION_CREATED:
        made = import_string(path)(organization=organization, actor=owner)
        if not landing and hasattr(made, "get_absolute_url"):
            landing = made.get_absolute_url()
    return organization, landing


@transaction.atomic
def organization_rename(*, organization: Organization, actor: User, name: str) -> None:
    """Give a workspace another name. Its address stays, so that links to it go on working."""
    if name == organization.name:
        return
    before, organization.name = organization.name, name
    organization.save(update_fields=["name"])
    audit(
        organization=organization,
        actor=actor,
        action="organization.renamed",
        target=organization.id,
        changes={"name": (before, name)},
    )


@transaction.atomic
def api_key_create(
    *, organization: Organization, actor: User, name: str, kind: str, expires_at: datetime | None = None
) -> tuple[ApiKey, str]:
    """Make an API key. Gives it and its text, which cannot be had again."""
    token = new_token(kind)
    key = ApiKey.objects.create(
        organization=organization,
        name=name,
        kind=kind,
        public_id=token.public_id,
        secret_hash=token.secret_hash,
        created_by=actor,
        expires_at=expires_at,
    )
    made = {"name": ("", name), "kind": ("", kind), "expires_at": ("", expires_at.isoformat() if expires_at else "")}
    audit(organization=organization, actor=actor, action="api_key.created", target=key.pk, changes=made)
    return key, token.text


@transaction.atomic
def api_key_revoke(*, key: ApiKey, actor: User) -> None:
    """End a key, from the next request on. It stays in the list, for who looks for what used it."""
    now = timezone.now()
    if ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=now):
        revoked = {"revoked_at": ("", now.isoformat())}
        audit(organization=key.organization, actor=actor, action="api_key.revoked", target=key.pk, changes=revoked)


def _free_slug(name: str) -> str:
    """An address for a workspace called `name`, with a number behind it when the plain one is taken."""
    base = slugify(name)[:50].strip("-") or "workspace"
    taken = RESERVED_SLUGS | set(Organization.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    number = 1
    slug = base
    while slug in taken:
        number += 1
        slug = f"{base}-{number}"
    return slug
