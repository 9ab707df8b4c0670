"""What a new agent starts from: an example, a few answers, or a sentence."""

from __future__ import annotations

import json

from asgiref.sync import async_to_sync
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.access import WorkspaceRequest, workspace_view
from accounts.models import Role
from builder import limits, services, starters
from builder.forms import NewAgentForm
from builder.starters import idea
from builder.starters.forms import IdeaForm, SentenceForm, writers
from builder.starters.guided import GuidedForm
from voice.providers.base import ProviderError


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@workspace_view(Role.MEMBER)
def agent_new(request: WorkspaceRequest) -> HttpResponse:
    """The gallery; with `?start=`, one of its agents to look at. A POST makes it."""
    if request.method != "POST":
        return _preview(request) if "start" in request.GET else _gallery(request)
    form = NewAgentForm(request.POST)
    if not form.is_valid():
        return _gallery(request, status=422)
    made = services.agent_create(
        organization=request.organization, actor=request.user, starter=form.starter, name=form.cleaned_data["name"]
    )
    return redirect(made)


def _gallery(request: WorkspaceRequest, status: int = 200) -> HttpResponse:
    context = {"starters": starters.STARTERS, "can_write": bool(writers(request.organization))}
    return render(request, "builder/start/gallery.html", context, status=status)


def _preview(request: WorkspaceRequest) -> HttpResponse:
    found = starters.starter(request.GET["start"])
    if found is None:
        raise Http404("No such example.")
    form = NewAgentForm(initial={"start": found.key, "name": found.name})
    return render(request, "builder/start/preview.html", {"starter": found, "form": form})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@workspace_view(Role.MEMBER)
def agent_guided(request: WorkspaceRequest) -> HttpResponse:
    """A few questions about a business, and the agent that their answers make."""
    form = GuidedForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return render(request, "builder/start/guided.html", {"form": form}, status=422 if form.is_bound else 200)
    made = services.agent_create_from(
        organization=request.organization, actor=request.user, name=form.name, config=form.config, source="guided"
    )
    return redirect(made)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@workspace_view(Role.MEMBER)
def agent_sentence(request: WorkspaceRequest) -> HttpResponse:
    """A sentence, the draft that a model makes of it, and the agent once the draft was read."""
    if "prompt" in request.POST:
        return _make(request)
    form = SentenceForm(request.POST if request.method == "POST" else None, organization=request.organization)
    if form.is_valid():
        limits.require("agent_sentence", request.user, times=10, seconds=300)
        access, model = form.access
        try:
            found = async_to_sync(idea.write)(form.cleaned_data["sentence"], access, model)
        except ProviderError as error:
            form.add_error(None, str(error))
        else:
            return _read(request, _filled(request, found, form.writer.pk))
    context = {"form": form, "can_write": bool(writers(request.organization))}
    return render(request, "builder/start/sentence.html", context, status=422 if form.is_bound else 200)


def _filled(request: WorkspaceRequest, found: idea.Idea, connection: str) -> IdeaForm:
    initial = {
        "name": found.name,
        "prompt": found.prompt,
        "greeting": found.greeting,
        "variables": [f"{one.name} = {one.default}" for one in found.variables],
        "connection": connection,
        "tools": json.dumps([one.model_dump() for one in found.tools]),
    }
    return IdeaForm(organization=request.organization, initial=initial)


def _read(request: WorkspaceRequest, form: IdeaForm) -> HttpResponse:
    return render(request, "builder/start/idea.html", {"form": form}, status=422 if form.is_bound else 200)


def _make(request: WorkspaceRequest) -> HttpResponse:
    form = IdeaForm(request.POST, organization=request.organization)
    if not form.is_valid():
        return _read(request, form)
    made = services.agent_create_from(
        organization=request.organization,
        actor=request.user,
        name=form.cleaned_data["name"],
        config=form.config,
        source="sentence",
    )
    return redirect(made)
