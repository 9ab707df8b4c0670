"""Who has an agent's page open, and telling them of what was saved.

Nothing is stored: pages say that they are there, in the group of their agent, and again when somebody comes.
"""

from __future__ import annotations

from typing import Any

import structlog
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer

from accounts.models import User

log = structlog.get_logger(__name__)


def group_of(agent_id: str) -> str:
    """The channel layer's group of the pages of an agent."""
    return f"editing.{agent_id}"


def tell_saved(agent_id: str, *, revision: int, by: User) -> None:
    """Tell the open pages of an agent that its draft is another one now. Without them it is as it was: no failure."""
    layer = get_channel_layer()
    if layer is None:
        return
    message = {"type": "draft.saved", "revision": revision, "name": str(by), "user": by.pk}
    try:
        async_to_sync(layer.group_send)(group_of(agent_id), message)
    except Exception as error:
        log.warning("Pages could not be told of an edit", agent_id=agent_id, error=str(error) or type(error).__name__)


def introduction(user: User, window: str) -> dict[str, Any]:
    """How somebody is shown to others."""
    words = (user.name or user.email.partition("@")[0]).replace(".", " ").split()
    initials = "".join(word[0] for word in [*words[:1], *words[1:][-1:]]).upper()
    return {"window": window, "user": user.pk, "name": str(user), "initials": initials}
