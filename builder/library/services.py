"""What changes the library, and what it changes on agents."""

from __future__ import annotations

from django.db import transaction

from accounts.models import Organization, User
from accounts.services import audit
from builder.library.models import FavouriteVoice
from builder.models import Agent
from builder.services import agent_save_draft


@transaction.atomic
def voice_mark(*, organization: Organization, actor: User, connection: str, voice: str) -> bool:
    """Mark a voice as a favourite, or take the mark off. Whether it is marked now."""
    mark, marked = FavouriteVoice.objects.get_or_create(organization=organization, connection=connection, voice=voice)
    if not marked:
        mark.delete()
    before, after = ("", voice) if marked else (voice, "")
    audit(
        organization=organization,
        actor=actor,
        action="voice.marked",
        target=connection,
        changes={"voice": (before, after)},
    )
    return marked


def voice_use(*, agent: Agent, actor: User, connection: str, voice: str) -> Agent:
    """Have the draft of `agent` speak with a voice. Its pace and what stands behind it stay. Raises ApiError."""
    config = agent.draft_config
    # A model belongs to the connection that it is at.
    model = config.voice.model if config.voice.connection == connection else ""
    changed = config.voice.model_copy(update={"connection": connection, "id": voice, "model": model})
    return agent_save_draft(
        agent=agent,
        actor=actor,
        name=agent.name,
        config=config.model_copy(update={"voice": changed}),
        revision=agent.draft_revision,
    )
