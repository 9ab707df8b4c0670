"""What changes agents and connections. Each is one transaction with its audit entry."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.module_loading import import_string
from pydantic import ValidationError

from accounts.models import AuditEntry, Organization, User
from accounts.services import audit
from builder import starters
from builder.changes import Change, changes, summary
from builder.config import AgentConfig
from builder.drafts import history, presence
from builder.drafts.merge import Choice, Conflict, merge
from builder.in_use import require_unused
from builder.knowledge.models import KnowledgeSettings
from builder.models import Agent, AgentVersion, ModelConnection
from builder.problems import errors
from builder.selectors import users_of
from builder.sending import require_sender
from core.errors import ApiError, ErrorCode

EDITING_SESSION = timedelta(minutes=10)
"""Edits of one person that follow each other within this time make one audit entry: the page saves as they type."""


class DraftConflict(ApiError):
    """The same was changed by two. `revision` is the draft as it is; `conflicts` are to be decided."""

    def __init__(self, message: str, revision: int, conflicts: Sequence[Conflict]) -> None:
        super().__init__(ErrorCode.STALE_REVISION, "The agent was changed elsewhere", message)
        self.revision = revision
        self.conflicts = conflicts


@transaction.atomic
def example_agent_create(*, organization: Organization, actor: User) -> Agent:
    """The agent that a new workspace begins with, published and ready to talk to; a draft, whose page says what it
    lacks, where nothing can answer for it yet."""
    agent = agent_create(organization=organization, actor=actor, starter=starters.RECEPTIONIST)
    if not errors(agent, agent.draft_config):
        agent_publish(agent=agent, actor=actor, note="An example to talk to, and to change.")
    return agent


def agent_create(
    *, organization: Organization, actor: User, starter: starters.Starter = starters.BLANK, name: str = ""
) -> Agent:
    """A new agent with the draft of `starter`. It takes no calls but tests until it is published."""
    return agent_create_from(
        organization=organization, actor=actor, name=name or starter.name, config=starter.config, source=starter.key
    )


@transaction.atomic
def agent_create_from(*, organization: Organization, actor: User, name: str, config: AgentConfig, source: str) -> Agent:
    """A new agent with the draft `config`; `source` says for the audit what that was made of. Raises SendsSecrets."""
    require_sender(organization=organization, actor=actor, config=config)
    agent = Agent.objects.create(organization=organization, name=name, draft=config.as_json(), created_by=actor)
    created = {"name": ("", agent.name), "starter": ("", source)}
    audit(organization=organization, actor=actor, action="agent.created", target=agent.pk, changes=created)
    return agent


@transaction.atomic
def agent_save_draft(
    *,
    agent: Agent,
    actor: User,
    name: str,
    config: AgentConfig,
    revision: int,
    choices: Mapping[str, Choice] | None = None,
    seen: int | None = None,
) -> Agent:
    """Store an edit made on draft `revision`. Gives the agent as it then is. No change, no write.

    What somebody saved meanwhile stays: of settings that both changed, `choices` says whose is taken, by their places,
    for who has looked at draft `seen`. Raises DraftConflict for those that are not chosen, and SendsSecrets for what
    only admins may do.
    """
    current = _locked(agent)
    if current.draft_revision != revision:
        decided = (choices or {}) if seen == current.draft_revision else {}
        name, config = _joined(current, actor, name, config, revision, decided)
    require_sender(organization=current.organization, actor=actor, config=config, before=current.draft_config)
    before = current.name, current.draft
    edited = changes(current.draft_config, config)
    renamed = current.name != name
    if renamed or current.draft_config != config:
        what = summary(edited, current.draft_config, config)
        _store(current, name, config)
        history.remember(
            current, actor=actor, what=", ".join(filter(None, ("Name" if renamed else "", what))), before=before
        )
        named = {"name": (before[0], name)} if renamed else {}
        _audit_edit(current, actor, {**named, **_for_audit(edited)})
        _announce(current, actor)
    return current


def _joined(
    current: Agent, actor: User, name: str, config: AgentConfig, revision: int, choices: Mapping[str, Choice]
) -> tuple[str, AgentConfig]:
    """An edit of an older draft, on the draft as it is."""
    then = history.said_at(current, revision)
    base = {"name": then.name, **then.parsed_config.as_json()} if then else None
    theirs = {"name": current.name, **current.draft_config.as_json()}
    merged, conflicts = merge(base, {"name": name, **config.as_json()}, theirs, choices)
    if conflicts:
        raise DraftConflict(_who_was_faster(current, actor), current.draft_revision, conflicts)
    name = merged.pop("name")
    try:
        return name, AgentConfig.model_validate(merged)
    except ValidationError:
        message = "Your changes and the others do not fit together. Load theirs, then make yours once more."
        raise ApiError(ErrorCode.CONFLICT, "The two do not fit", message) from None


@transaction.atomic
def agent_undo(*, agent: Agent, actor: User, revision: int) -> tuple[Agent, str]:
    """Take back the last edit of the draft, whoever made it. Gives what that was, "" when there was nothing.

    Raises ApiError (stale revision) when the draft is not `revision` any more.
    """
    return _step(agent, actor, revision, history.step_back, "agent.undone")


@transaction.atomic
def agent_redo(*, agent: Agent, actor: User, revision: int) -> tuple[Agent, str]:
    """Make again what was undone last. As `agent_undo`."""
    return _step(agent, actor, revision, history.step_forward, "agent.redone")


def _step(
    agent: Agent, actor: User, revision: int, step: Callable[[Agent, User], str], action: str
) -> tuple[Agent, str]:
    current = _locked(agent)
    if current.draft_revision != revision:
        raise ApiError(ErrorCode.STALE_REVISION, "The agent was changed elsewhere", _who_was_faster(current, actor))
    if what := step(current, actor):
        audit(
            organization=current.organization,
            actor=actor,
            action=action,
            target=current.pk,
            changes={"draft": ("", what)},
        )
        _announce(current, actor)
    return current, what


def _store(agent: Agent, name: str, config: AgentConfig) -> None:
    agent.name, agent.draft = name, config.as_json()
    agent.draft_revision += 1
    agent.save(update_fields=["name", "draft", "draft_revision", "updated_at"])


def _announce(agent: Agent, actor: User) -> None:
    """To the pages that have the agent open, once it is stored."""
    revision = agent.draft_revision
    transaction.on_commit(lambda: presence.tell_saved(agent.pk, revision=revision, by=actor))


@transaction.atomic
def agent_publish(*, agent: Agent, actor: User, note: str = "", revision: int | None = None) -> AgentVersion:
    """Make the draft an immutable version that calls reach from now on. Calls in progress keep the version they have.

    `revision` is the draft whose changes were looked at. Raises ApiError: stale revision when the draft is another now;
    conflict when nothing changed since the live version; validation failed when `builder.problems` finds errors in it.
    """
    current = _locked(agent)
    if revision is not None and current.draft_revision != revision:
        message = "The draft changed while you were looking at it. Look at what changed once more, then publish."
        raise ApiError(ErrorCode.STALE_REVISION, "The draft has changed", message)
    if not current.has_unpublished_changes:
        message = f"The draft is the same as {current.live_version}, which is live already."
        raise ApiError(ErrorCode.CONFLICT, "Nothing to publish", message)
    config = current.draft_config
    _require_sound(current, config)
    if current.live_version is None:
        _require_slot(current)
    last = current.versions.aggregate(last=Max("number"))["last"] or 0
    version = AgentVersion.objects.create(
        agent=current,
        number=last + 1,
        config=config.as_json(),
        content_hash=config.content_hash(),
        note=note.strip(),
        created_by=actor,
    )
    before = current.live_version
    current.live_version = agent.live_version = version
    current.save(update_fields=["live_version", "updated_at"])
    published = {"version": (before.label if before else "", version.label)}
    audit(
        organization=current.organization, actor=actor, action="agent.published", target=current.pk, changes=published
    )
    return version


def _require_slot(agent: Agent) -> None:
    """Raises the ApiError of whoever limits how many agents are live."""
    others = Agent.objects.filter(organization=agent.organization, deleted_at=None).exclude(live_version=None)
    for path in settings.BEFORE_AGENT_GOES_LIVE:
        import_string(path)(organization=agent.organization, live_agents=others.count)


@transaction.atomic
def agent_restore(*, agent: Agent, actor: User, version: AgentVersion, revision: int | None = None) -> Agent:
    """Make the draft say what `version` says. Callers notice nothing until it is published.

    Raises ApiError (stale revision) when the draft that this replaces is not `revision` any more.
    """
    current = _locked(agent)
    if revision is not None and current.draft_revision != revision:
        raise ApiError(ErrorCode.STALE_REVISION, "The agent was changed elsewhere", _who_was_faster(current, actor))
    before = current.name, current.draft
    _store(current, current.name, version.parsed_config)
    history.remember(current, actor=actor, what=f"Restored {version.label}", before=before)
    restored = {"draft": ("", version.label)}
    audit(organization=current.organization, actor=actor, action="agent.restored", target=current.pk, changes=restored)
    _announce(current, actor)
    return current


@transaction.atomic
def agent_duplicate(*, agent: Agent, actor: User) -> Agent:
    """A new, unpublished agent with the draft of `agent`."""
    original = _locked(agent)
    limit = Agent._meta.get_field("name").max_length or 0
    duplicate = Agent.objects.create(
        organization=original.organization,
        name=f"Copy of {original.name}"[:limit],
        draft=original.draft,
        created_by=actor,
    )
    copied = {"name": ("", duplicate.name), "copy_of": ("", original.pk)}
    audit(organization=duplicate.organization, actor=actor, action="agent.created", target=duplicate.pk, changes=copied)
    return duplicate


@transaction.atomic
def agent_delete(*, agent: Agent, actor: User) -> None:
    """Hide the agent and refuse it new calls. Its calls stay readable, and those in progress go on to their end."""
    current = _locked(agent)
    current.deleted_at = timezone.now()
    current.save(update_fields=["deleted_at", "updated_at"])
    deleted = {"name": (current.name, "")}
    audit(organization=current.organization, actor=actor, action="agent.deleted", target=current.pk, changes=deleted)


@transaction.atomic
def snapshot_for_test(*, agent: Agent, actor: User) -> AgentVersion:
    """The version that a test call of the draft runs: the live one when the draft says the same, else a snapshot.

    Two tests of the same draft share one snapshot, also when they start at the same moment.
    """
    current = Agent.objects.select_related("live_version", "organization").get(pk=agent.pk)
    if current.live_version is not None and not current.has_unpublished_changes:
        return current.live_version
    config = current.draft_config
    snapshot, created = AgentVersion.objects.get_or_create(
        agent=current,
        number=None,
        content_hash=config.content_hash(),
        defaults={"config": config.as_json(), "created_by": actor},
    )
    if created:
        audit(
            organization=current.organization,
            actor=actor,
            action="agent.snapshot_made",
            target=current.pk,
            changes={"snapshot": ("", snapshot.pk)},
        )
    return snapshot


@transaction.atomic
def connection_create(
    *,
    organization: Organization,
    actor: User,
    vendor: str,
    name: str,
    base_url: str = "",
    api_key: str = "",
    account_number: str = "",
    default_model: str = "",
) -> ModelConnection:
    connection = ModelConnection.objects.create(
        organization=organization,
        vendor=vendor,
        name=name,
        base_url=base_url,
        api_key=api_key,
        account_number=account_number,
        default_model=default_model,
    )
    _audit_connection(connection, actor, "connection.created", ModelConnection())
    return connection


@transaction.atomic
def connection_update(
    *,
    connection: ModelConnection,
    actor: User,
    name: str,
    base_url: str,
    api_key: str,
    default_model: str,
    account_number: str = "",
) -> ModelConnection:
    """Change a connection. Calls in progress keep the address and key that they began with."""
    current = ModelConnection.objects.select_for_update().get(pk=connection.pk)
    before = copy(current)
    current.name, current.base_url, current.api_key, current.default_model = name, base_url, api_key, default_model
    current.account_number = account_number
    current.save()
    _audit_connection(current, actor, "connection.updated", before)
    return current


@transaction.atomic
def connection_delete(*, connection: ModelConnection, actor: User) -> None:
    """Raises ApiError (conflict), which says what uses it: an agent, in its draft or live, a tool, or the knowledge
    base."""
    require_unused(connection, users_of(connection), "Choose something else there and publish")
    if KnowledgeSettings.objects.filter(connection=connection).exists():
        message = "It makes the vectors of the knowledge base. Choose another embedding model there, then delete it."
        raise ApiError(ErrorCode.CONFLICT, f"{connection.name} is in use", message)
    deleted = {"name": (connection.name, ""), "base_url": (connection.base_url, "")}
    audit(
        organization=connection.organization,
        actor=actor,
        action="connection.deleted",
        target=connection.pk,
        changes=deleted,
    )
    connection.delete()


def _locked(agent: Agent) -> Agent:
    """The agent as it is now, and nobody else changes it before this transaction ends.

    What it points to is read afterwards: rows joined to a locked one are as old as the wait for the lock.
    """
    current = Agent.objects.select_for_update().filter(pk=agent.pk, deleted_at=None).first()
    if current is None:
        raise ApiError(ErrorCode.NOT_FOUND, "This agent was deleted", "Somebody deleted it while you had it open.")
    return current


def _who_was_faster(agent: Agent, actor: User) -> str:
    """Whose change stands in the way, for the person whose edit it stops."""
    last = AuditEntry.objects.select_related("actor").filter(target=agent.pk).order_by("-pk").first()
    who = "You" if last and last.actor == actor else str(last.actor) if last and last.actor else "Somebody"
    where = ", in another window" if who == "You" else ""
    return f"{who} saved other changes since you opened this page{where}. What you typed is still here and not saved."


def _require_sound(agent: Agent, config: AgentConfig) -> None:
    """The one place that stops publishing. Raises ApiError (validation failed) with all that is in the way."""
    found = errors(agent, config)
    if found:
        title = "An error stops this" if len(found) == 1 else f"{len(found)} errors stop this"
        message = " ".join(problem.text for problem in found)
        raise ApiError(ErrorCode.VALIDATION_FAILED, title, message)


def _for_audit(edited: Sequence[Change]) -> dict[str, tuple[Any, Any]]:
    """What was and is, and for long texts how long they were and are."""
    return {
        change.field: (f"{len(change.before)} characters", f"{len(change.after)} characters")
        if change.lines
        else (change.before, change.after)
        for change in edited
    }


def _audit_edit(agent: Agent, actor: User, edited: dict[str, tuple[Any, Any]]) -> None:
    last = AuditEntry.objects.filter(organization=agent.organization, target=agent.pk).order_by("-pk").first()
    recent = timezone.now() - EDITING_SESSION
    if last and last.action == "agent.edited" and last.actor_id == actor.pk and last.created_at > recent:
        for field, (before, after) in edited.items():
            last.changes[field] = [last.changes.get(field, [before])[0], after]
        last.save(update_fields=["changes"])
        return
    audit(organization=agent.organization, actor=actor, action="agent.edited", target=agent.pk, changes=edited)


def _audit_connection(connection: ModelConnection, actor: User, action: str, before: ModelConnection) -> None:
    changed: dict[str, tuple[Any, Any]] = {
        field: (getattr(before, field), getattr(connection, field))
        for field in ("vendor", "name", "base_url", "account_number", "default_model")
        if getattr(before, field) != getattr(connection, field)
    }
    if before.api_key != connection.api_key:
        changed["api_key"] = ("", "changed")
    audit(organization=connection.organization, actor=actor, action=action, target=connection.pk, changes=changed)
