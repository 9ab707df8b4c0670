"""The history of a draft: what it said at each revision, and the way back and forth.

These run within the transaction of a service, on the agent that it has locked.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from accounts.models import User
from builder.drafts.models import DraftRevision
from builder.models import Agent

KEPT = 100
"""So many revisions of each draft."""
STROKE = timedelta(seconds=20)
"""Edits of one setting by one person that follow each other within this time are undone together: the page saves as
they type."""


@dataclass(frozen=True, slots=True)
class Steps:
    """What undoing and redoing would do, in words; "" where there is nothing to."""

    undo: str
    redo: str


def remember(agent: Agent, *, actor: User | None, what: str, before: tuple[str, object]) -> None:
    """Keep the edit that made the draft what it is now. `before` are the name and the config until then."""
    name, config = before
    last = _at(agent, agent.draft_revision - 1)
    if last is None:
        first = agent.draft_revision - 1
        last = DraftRevision.objects.create(
            agent=agent, revision=first, state=first, newest=first, name=name, config=config
        )
    now = agent.draft_revision
    state_before = last.before if _is_one_stroke(last, actor, what) else last.state
    _add(agent, actor=actor, what=what, state=now, before=state_before, newest=now)
    agent.draft_revisions.filter(revision__lte=now - KEPT).delete()


def _is_one_stroke(last: DraftRevision, actor: User | None, what: str) -> bool:
    return (
        last.before is not None
        and last.state == last.revision
        and last.what == what
        and last.actor == actor
        and last.created_at > timezone.now() - STROKE
    )


def steps(agent: Agent) -> Steps:
    """What undoing and redoing would do to the draft as it is."""
    # Without the configs: this is asked for with every page and every save.
    known = {each.revision: each for each in agent.draft_revisions.defer("config", "name").select_related("actor")}
    current = known.get(agent.draft_revision)
    if current is None:
        return Steps("", "")
    made, forth = known.get(current.state), known.get(_after(current) or 0)
    return Steps(_words(made) if made and current.before in known else "", _words(forth) if forth else "")


def step_back(agent: Agent, actor: User) -> str:
    """Make the draft what it was before the last edit. Gives what was undone; "" when there was nothing."""
    current = _at(agent, agent.draft_revision)
    target = _before(current) if current else None
    if current is None or target is None:
        return ""
    undone = _at(agent, current.state)
    _show(agent, target, actor, newest=current.newest)
    return undone.what if undone else ""


def step_forward(agent: Agent, actor: User) -> str:
    """Make the draft what it was before the last undoing. Gives what was done again; "" when there was nothing."""
    current = _at(agent, agent.draft_revision)
    state = _after(current) if current else None
    target = _at(agent, state) if state else None
    if current is None or target is None:
        return ""
    _show(agent, target, actor, newest=current.newest)
    return target.what


def said_at(agent: Agent, revision: int) -> DraftRevision | None:
    """What the draft said then, if it is still known."""
    return _at(agent, revision)


def _at(agent: Agent, revision: int) -> DraftRevision | None:
    return agent.draft_revisions.select_related("actor").filter(revision=revision).first()


def _before(current: DraftRevision) -> DraftRevision | None:
    return None if current.before is None else _at(current.agent, current.before)


def _after(current: DraftRevision) -> int | None:
    """The state that was undone last: from the newest one back until the one before is ours."""
    chain = dict(current.agent.draft_revisions.values_list("revision", "before"))
    state: int | None = current.newest
    while state is not None and state != current.state:
        if chain.get(state) == current.state:
            return state
        state = chain.get(state)
    return None


def _show(agent: Agent, target: DraftRevision, actor: User, *, newest: int) -> None:
    agent.name, agent.draft = target.name, target.config
    agent.draft_revision += 1
    agent.save(update_fields=["name", "draft", "draft_revision", "updated_at"])
    _add(agent, actor=actor, what=target.what, state=target.state, before=target.before, newest=newest)


def _add(agent: Agent, *, actor: User | None, what: str, state: int, before: int | None, newest: int) -> None:
    DraftRevision.objects.create(
        agent=agent,
        revision=agent.draft_revision,
        state=state,
        before=before,
        newest=newest,
        name=agent.name,
        config=agent.draft,
        what=what[:200],
        actor=actor,
    )


def _words(made: DraftRevision) -> str:
    return f"{made.what} ({made.actor})" if made.actor else made.what
