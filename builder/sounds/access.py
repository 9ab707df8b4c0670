"""The only way in which a view gets a sound: 404 unless it is in the reader's own workspace."""

from __future__ import annotations

from django.http import Http404

from accounts.models import Organization
from builder.sounds.models import AmbientSound


def get_sound(organization: Organization, sound_id: str) -> AmbientSound:
    found = organization.ambient_sounds.filter(pk=sound_id).first()
    if found is None:
        raise Http404("No such sound.")
    return found
