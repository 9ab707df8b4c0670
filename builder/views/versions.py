"""Publishing: what changed, a new version of it, and the versions there were."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect

from accounts.access import WorkspaceRequest, may, workspace_view
from accounts.models import Role
from builder import selectors, services
from builder.access import get_agent, get_version
from builder.changes import changes, grouped
from builder.forms import CompareForm, PublishForm, RevisionForm
from builder.models import Agent
from builder.problems import problems
from core.errors import ApiError


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@workspace_view(Role.MEMBER)
def agent_publish(request: WorkspaceRequest, agent_id: str) -> HttpResponse:
    """GET: what publishing would change. POST: publish it."""
    found = get_agent(request.organization, agent_id)
    form = PublishForm(request.POST or None, initial={"revision": found.draft_revision})
    if not form.is_valid():
        return _publish_page(request, found, form, status=422 if form.is_bound else 200)
    try:
        version = services.agent_publish(agent=found, actor=request.user, **form.cleaned_data)
    except ApiError as error:
        # Said where the person looks, with the changes as they are by now and the note that was typed.
        found = get_agent(request.organization, agent_id)
        again = PublishForm(initial={"revision": found.draft_revision, "note": form.cleaned_data["note"]})
        return _publish_page(request, found, again, status=error.status, error=error)
    messages.success(request, f"{version} is live: every new call reaches it.")
    page = found.get_absolute_url()
    return HttpResponseClientRedirect(page) if request.htmx else redirect(page)


def _publish_page(
    request: WorkspaceRequest, agent: Agent, form: PublishForm, *, status: int, error: ApiError | None = None
) -> HttpResponse:
    live, found = agent.live_version, problems(agent)
    context = {
        "agent": agent,
        "form": form,
        "live": live,
        "groups": grouped(changes(live.parsed_config if live else None, agent.draft_config)),
        "unchanged": not agent.has_unpublished_changes,
        "problems": found,
        "stopped": any(problem.severity == "error" for problem in found),
        "error": error,
    }
    template = "builder/_publish.html" if request.htmx else "builder/publish.html"
    return render(request, template, context, status=status)


@never_cache
@require_safe
@workspace_view()
def agent_versions(request: WorkspaceRequest, agent_id: str) -> HttpResponse:
    found = get_agent(request.organization, agent_id)
    context = {
        "agent": found,
        "versions": selectors.versions_in_use(found),
        "draft_state": selectors.draft_state(found),
        "may_edit": may(request.role, Role.MEMBER),
    }
    return render(request, "builder/versions.html", context)


@never_cache
@require_safe
@workspace_view()
def agent_version(request: WorkspaceRequest, agent_id: str, version_id: str) -> HttpResponse:
    """What a version changed, and how the draft differs from it."""
    found = get_agent(request.organization, agent_id)
    version = get_version(found, version_id)
    before = selectors.version_before(version)
    context = {
        "agent": found,
        "version": version,
        "before": before,
        "groups": grouped(changes(before.parsed_config if before else None, version.parsed_config)),
        "draft_groups": grouped(changes(version.parsed_config, found.draft_config)),
        "form": RevisionForm(initial={"revision": found.draft_revision}),
        "may_edit": may(request.role, Role.MEMBER),
    }
    template = "builder/_version.html" if request.htmx else "builder/version.html"
    return render(request, template, context)


@never_cache
@require_safe
@workspace_view()
def agent_compare(request: WorkspaceRequest, agent_id: str) -> HttpResponse:
    """What differs between any two of its versions, or its draft: `?earlier=` and `?later=`, ids or "draft"."""
    found = get_agent(request.organization, agent_id)
    choices = selectors.compared(found)
    form = CompareForm(request.GET or None, choices=[(key, label) for key, label, _ in choices])
    context: dict[str, Any] = {"agent": found, "form": form}
    if form.is_valid():
        configs = {key: (label, config) for key, label, config in choices}
        (earlier, was), (later, now) = (configs[form.cleaned_data[name]] for name in ("earlier", "later"))
        context |= {"earlier": earlier, "later": later, "groups": grouped(changes(was, now))}
    return render(request, "builder/compare.html", context, status=422 if form.is_bound and form.errors else 200)


@require_POST
@workspace_view(Role.MEMBER)
def agent_restore(request: WorkspaceRequest, agent_id: str, version_id: str) -> HttpResponse:
    """Put a version back into the draft."""
    found = get_agent(request.organization, agent_id)
    version = get_version(found, version_id)
    form = RevisionForm(request.POST)
    revision = form.cleaned_data["revision"] if form.is_valid() else None
    services.agent_restore(agent=found, actor=request.user, version=version, revision=revision)
    messages.success(request, f"The draft says what {version} says. Publish it to make it live.")
    return redirect(found)
