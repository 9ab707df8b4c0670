"""What changes background sounds. Each is one transaction with its audit entry."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction

from accounts.models import Organization, User
from accounts.services import audit
from builder.in_use import require_unused
from builder.sounds import files
from builder.sounds.models import AmbientSound
from builder.sounds.selectors import agents_using
from core.errors import ApiError, ErrorCode

MOST_SOUNDS = 50


@transaction.atomic
def sound_create(*, organization: Organization, actor: User, name: str, parts: Iterable[bytes]) -> AmbientSound:
    """Keep an uploaded audio file as a loop. Raises UnusableSound, and ApiError (validation failed) for too many."""
    if organization.ambient_sounds.count() >= MOST_SOUNDS:
        message = f"A workspace has at most {MOST_SOUNDS} sounds of its own. Delete one first."
        raise ApiError(ErrorCode.VALIDATION_FAILED, "Too many sounds", message)
    sound = AmbientSound(organization=organization, name=name)
    sound.seconds = files.store(sound.pk, parts)
    sound.save(force_insert=True)
    audit(organization=organization, actor=actor, action="sound.created", target=sound.pk, changes={"name": ("", name)})
    return sound


@transaction.atomic
def sound_delete(*, sound: AmbientSound, actor: User) -> None:
    """Raises ApiError (conflict), which names the agents, while any agent's draft or live version uses it."""
    require_unused(sound, agents_using(sound), "Choose another one there and publish")
    key, deleted = sound.pk, {"name": (sound.name, "")}
    audit(organization=sound.organization, actor=actor, action="sound.deleted", target=key, changes=deleted)
    sound.delete()
    transaction.on_commit(lambda: files.remove(key))
