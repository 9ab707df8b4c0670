"""The WebSocket of a page that has an agent open: who else has, and that the draft was saved by somebody.

    wss /ws/w/<workspace>/agents/<agent_id>/editing/

The page sends where its person is, `{"type": "here", "view": "Guide", "place": "Prompt"}`, now and again. It gets the
same of others, with `window`, `user`, `name`, `initials` and `yours` (the same person, in another window);
`{"type": "left", "window": …}`; and `{"type": "saved", "revision": 7, "name": …, "yours": …}`.
"""

from __future__ import annotations

import uuid
from typing import Any

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.http import Http404
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from accounts.access import get_membership, may
from accounts.models import Role, User
from builder.access import get_agent
from builder.drafts.presence import group_of, introduction

ANONYMOUS, REFUSED = 4401, 4404
"""Closures."""


class _Here(BaseModel):
    model_config = ConfigDict(extra="forbid")

    type: str = Field(pattern="^here$")
    view: str = Field("", max_length=20)
    place: str = Field("", max_length=120)


class EditingConsumer(AsyncJsonWebsocketConsumer):
    """A page among those of its agent. Pages introduce themselves to whoever comes."""

    async def connect(self) -> None:
        self.group = ""
        self.where = {"view": "", "place": ""}
        user = self.scope["user"]
        if not user.is_authenticated:
            await self.accept()
            await self.close(ANONYMOUS)
            return
        if not await _may_edit(user, **self.scope["url_route"]["kwargs"]):
            await self.accept()
            await self.close(REFUSED)
            return
        self.me = introduction(user, uuid.uuid4().hex)
        self.group = group_of(self.scope["url_route"]["kwargs"]["agent_id"])
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.accept()
        await self.channel_layer.group_send(self.group, {"type": "editing.asked", "window": self.me["window"]})

    async def disconnect(self, code: int) -> None:
        if self.group:
            await self.channel_layer.group_discard(self.group, self.channel_name)
            await self.channel_layer.group_send(self.group, {"type": "editing.left", "window": self.me["window"]})

    async def receive_json(self, content: Any, **_: Any) -> None:
        try:
            here = _Here.model_validate(content)
        except ValidationError:
            return  # nothing that our pages send
        self.where = {"view": here.view, "place": here.place}
        await self._introduce()

    async def _introduce(self) -> None:
        await self.channel_layer.group_send(self.group, {"type": "editing.here", **self.me, **self.where})

    # --- what the group says

    async def editing_asked(self, message: dict[str, Any]) -> None:
        if message["window"] != self.me["window"]:
            await self._introduce()

    async def editing_here(self, message: dict[str, Any]) -> None:
        if message["window"] != self.me["window"]:
            await self.send_json({**message, "type": "here", "yours": message["user"] == self.me["user"]})

    async def editing_left(self, message: dict[str, Any]) -> None:
        await self.send_json({"type": "left", "window": message["window"]})

    async def draft_saved(self, message: dict[str, Any]) -> None:
        await self.send_json({**message, "type": "saved", "yours": message["user"] == self.me["user"]})


@database_sync_to_async
def _may_edit(user: User, workspace: str, agent_id: str) -> bool:
    try:
        membership = get_membership(user, workspace)
        get_agent(membership.organization, agent_id)
    except Http404:
        return False
    return may(membership.role, Role.MEMBER)
