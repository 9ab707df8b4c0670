"""The draft for the page's scripts: what it says, saving it, undo and redo. All in JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from django.db.models import prefetch_related_objects
from django.http import HttpResponse, JsonResponse
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from pydantic import TypeAdapter, ValidationError

from accounts.access import WorkspaceRequest, may, workspace_view
from accounts.models import Role
from builder import selectors, services, yaml
from builder.access import get_agent
from builder.changes import describe
from builder.config import AgentConfig
from builder.drafts import history
from builder.drafts.merge import Choice, Conflict
from builder.forms import RevisionForm, SaveForm
from builder.models import Agent
from builder.problems import Problem, problems
from builder.references import Names
from builder.sending import SendsSecrets
from core.errors import ApiError, ErrorCode

VIEWS = {"Guide": "agent", "Flow": "agent_flow", "YAML": "agent_yaml"}
Saying = Callable[[Sequence[Problem]], dict[str, Any]]
"""Puts problems of settings into the words of a view's script."""
_choices: TypeAdapter[dict[str, Choice]] = TypeAdapter(dict[str, Choice])


@never_cache
@require_safe
@workspace_view(Role.MEMBER)
def agent_draft(request: WorkspaceRequest, agent_id: str) -> HttpResponse:
    """The draft as it is: its config and as YAML."""
    found = get_agent(request.organization, agent_id)
    config = found.draft_config
    text = yaml.dump(found.name, config, Names.of(request.organization))
    return JsonResponse({**state_of(found), "name": found.name, "config": config.as_json(), "yaml": text})


@require_POST
@workspace_view(Role.MEMBER)
def agent_save_config(request: WorkspaceRequest, agent_id: str) -> HttpResponse:
    """Save the draft as JSON: a config and its name. Answers as `save` does; 422 has `problems`."""
    found = get_agent(request.organization, agent_id)
    form = SaveForm(request.POST)
    if not form.is_valid():
        return refused(request, "The request lacks something.", fields=_messages(form))
    try:
        config = AgentConfig.model_validate_json(form.cleaned_data["text"])
    except ValidationError as error:
        problems = [
            {"place": ".".join(map(str, each["loc"])), "message": each["msg"].removeprefix("Value error, ")}
            for each in error.errors(include_url=False)
        ]
        return refused(request, "Some settings cannot be as they are.", problems=problems)
    name = form.cleaned_data["name"] or found.name
    return save(request, found, name=name, config=config, form=form, said=_by_place)


def _by_place(found: Sequence[Problem]) -> dict[str, Any]:
    return {"problems": [{"place": each.path, "message": each.text} for each in found]}


@require_POST
@workspace_view(Role.MEMBER)
def agent_save_yaml(request: WorkspaceRequest, agent_id: str) -> HttpResponse:
    """Save the draft as YAML. Answers as `save` does; 422 has `problems`, each with its line and column."""
    found = get_agent(request.organization, agent_id)
    form = SaveForm(request.POST)
    if not form.is_valid():
        return refused(request, "The request lacks something.", fields=_messages(form))
    text: str = form.cleaned_data["text"]
    try:
        document = yaml.load(text, Names.of(request.organization))
    except yaml.YamlError as error:
        problems = list(map(asdict, error.problems))
        return refused(request, f"Line {problems[0]['line']}: {problems[0]['message']}", problems=problems)

    def by_line(found: Sequence[Problem]) -> dict[str, Any]:
        return {"problems": [asdict(yaml.problem_at(text, each.place, each.text)) for each in found]}

    return save(request, found, name=document.name, config=document.config, form=form, said=by_line)


@require_POST
@workspace_view(Role.MEMBER)
def agent_undo(request: WorkspaceRequest, agent_id: str) -> HttpResponse:
    """Take back the last edit. `what` in the answer says which."""
    return _step(request, agent_id, services.agent_undo)


@require_POST
@workspace_view(Role.MEMBER)
def agent_redo(request: WorkspaceRequest, agent_id: str) -> HttpResponse:
    """Make again what was undone last."""
    return _step(request, agent_id, services.agent_redo)


def _step(request: WorkspaceRequest, agent_id: str, act: Callable[..., tuple[Agent, str]]) -> HttpResponse:
    found = get_agent(request.organization, agent_id)
    form = RevisionForm(request.POST)
    if not form.is_valid():
        return refused(request, "The request lacks something.", fields=_messages(form))
    try:
        agent, what = act(agent=found, actor=request.user, revision=form.cleaned_data["revision"])
    except ApiError as error:
        return problem(request, error)
    return JsonResponse({**state_of(agent), "what": what})


def save(
    request: WorkspaceRequest, agent: Agent, *, name: str, config: AgentConfig, form: Any, said: Saying
) -> JsonResponse:
    """Save an edit, and say how the draft is now. `merged`: somebody else's changes are in it, too.

    409 has `conflicts`, settings that somebody else changed too: the page sends them again with `choices`, "mine" or
    "theirs" by their places, and `seen`, the revision that it has from here. 403 is for what only admins may change,
    and has what 422 has for other mistakes.
    """
    data = form.cleaned_data
    try:
        choices = _choices.validate_json(data.get("choices") or "{}")
    except ValidationError:
        return refused(request, "The choices are not understood.")
    try:
        saved = services.agent_save_draft(
            agent=agent,
            actor=request.user,
            name=name,
            config=config,
            revision=data["revision"],
            choices=choices,
            seen=data.get("seen"),
        )
    except services.DraftConflict as error:
        conflicts = [_conflict(each) for each in error.conflicts]
        return problem(request, error, revision=error.revision, conflicts=conflicts)
    except SendsSecrets as error:
        return problem(request, error, **said(error.problems))
    except ApiError as error:
        return problem(request, error)
    merged = saved.draft_config != config or saved.name != name
    return JsonResponse({**state_of(saved), "model": saved.draft_config.model.name, "merged": merged})


def page_context(request: WorkspaceRequest, agent: Agent, view: str) -> dict[str, Any]:
    """What each view of an agent shows around it: its header, the state of its draft, and where its script sends it."""
    prefetch_related_objects([agent.organization], "model_connections", "voice_files")
    where = {"workspace": request.organization.slug, "agent_id": agent.pk}
    urls = {name: reverse(f"agent_{name}", kwargs=where) for name in ("draft", "flow", "undo", "redo")}
    urls["guide"] = reverse("agent", kwargs=where)
    editing = f"/ws/w/{request.organization.slug}/agents/{agent.pk}/editing/"
    draft = {**state_of(agent), "name": agent.name, "view": view, "urls": {**urls, "editing": editing}}
    return {
        "agent": agent,
        "draft": draft,
        "problems": problems(agent),
        "view": view,
        "views": _views(agent, view),
        "may_connect": may(request.role, Role.ADMIN),
    }


def reading_context(agent: Agent, view: str) -> dict[str, Any]:
    """What each view shows around it to who may only look."""
    return {"agent": agent, "draft_state": selectors.draft_state(agent), "views": _views(agent, view)}


def _views(agent: Agent, view: str) -> list[tuple[str, str, bool]]:
    """The tabs: title, address, and whether it is the one that is open."""
    where = {"workspace": agent.organization.slug, "agent_id": agent.pk}
    return [(title, reverse(name, kwargs=where), title == view) for title, name in VIEWS.items()]


def state_of(agent: Agent) -> dict[str, Any]:
    """What every answer says of the draft: its revision, how it stands to the live version, and what undo would do."""
    steps = history.steps(agent)
    return {
        "revision": agent.draft_revision,
        "state": selectors.draft_state(agent),
        "problem": selectors.problem(agent),
        "undo": steps.undo,
        "redo": steps.redo,
    }


def _conflict(found: Conflict) -> dict[str, str]:
    label, mine = describe(found.place, found.mine)
    _, theirs = describe(found.place, found.theirs)
    return {"place": found.place, "label": label, "mine": mine, "theirs": theirs}


def _messages(form: Any) -> Mapping[str, str]:
    return {name: " ".join(map(str, errors)) for name, errors in form.errors.items()}


def refused(request: WorkspaceRequest, message: str, **more: object) -> JsonResponse:
    return problem(request, ApiError(ErrorCode.VALIDATION_FAILED, "Not saved", message), **more)


def problem(request: WorkspaceRequest, error: ApiError, **more: object) -> JsonResponse:
    return JsonResponse({**error.as_dict(request.request_id), **more}, status=error.status)
