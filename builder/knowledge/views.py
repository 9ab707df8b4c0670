"""Folders, and what is in them."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render, resolve_url
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect

from accounts.access import WorkspaceRequest, may, require_role, workspace_view
from accounts.models import Role
from builder import limits
from builder.knowledge import files, selectors, services
from builder.knowledge.access import get_document, get_folder, get_website
from builder.knowledge.embedding import models_of
from builder.knowledge.forms import (
    EmbeddingForm,
    FolderForm,
    ScheduleForm,
    SearchForm,
    TextForm,
    UploadForm,
    WebsiteForm,
)
from builder.knowledge.models import Document, KnowledgeFolder, Website
from builder.knowledge.search import search
from core.downloads import file_response
from core.errors import ApiError, ErrorCode
from voice.knowledge import written

SHOWN_CHUNKS = 200
MOST_FOUND = 3
"""As many passages as a turn of a call is given."""
CHARACTERS_PER_TOKEN = 4


# --- folders


@never_cache
@require_safe
@workspace_view()
def knowledge(request: WorkspaceRequest) -> HttpResponse:
    """The folders, and a question to all of them."""
    context = {
        "folders": selectors.folder_list(request.organization),
        "form": FolderForm(organization=request.organization),
        "search_form": SearchForm(organization=request.organization),
        "learning": selectors.learning(request.organization),
        "model": models_of(request.organization.pk).chosen.label,
        "may_edit": may(request.role, Role.MEMBER),
        "may_choose": may(request.role, Role.ADMIN),
    }
    return render(request, "builder/knowledge/folders.html", context)


@require_POST
@workspace_view(Role.MEMBER)
def folder_new(request: WorkspaceRequest) -> HttpResponse:
    form = FolderForm(request.POST, organization=request.organization)
    if not form.is_valid():
        return render(request, "builder/knowledge/_folder_form.html", {"form": form}, status=422)
    name = form.cleaned_data["name"]
    return _go_to(request, services.folder_create(organization=request.organization, actor=request.user, name=name))


@never_cache
@require_safe
@workspace_view()
def folder(request: WorkspaceRequest, folder_id: str) -> HttpResponse:
    """What is in a folder, and a question to it."""
    found = get_folder(request.organization, folder_id)
    context = {
        **_rows(request, found),
        **_ways(found),
        "agents": services.agents_using(found),
        "folder_form": FolderForm(organization=request.organization, folder=found),
        "search_form": SearchForm(organization=request.organization, initial={"folder": found.pk}),
    }
    return render(request, "builder/knowledge/folder.html", context)


@never_cache
@require_safe
@workspace_view()
def folder_rows(request: WorkspaceRequest, folder_id: str) -> HttpResponse:
    """The tables of a folder, for its page to keep up to date while something is being read."""
    found = get_folder(request.organization, folder_id)
    return render(request, "builder/knowledge/_rows.html", _rows(request, found))


def _rows(request: WorkspaceRequest, found: KnowledgeFolder) -> dict[str, Any]:
    return {
        "folder": found,
        "documents": selectors.document_list(found),
        "websites": selectors.website_list(found),
        "busy": selectors.is_busy(found),
        "may_edit": may(request.role, Role.MEMBER),
        "schedules": Website.Schedule.choices,
    }


@require_POST
@workspace_view(Role.MEMBER)
def folder_rename(request: WorkspaceRequest, folder_id: str) -> HttpResponse:
    found = get_folder(request.organization, folder_id)
    form = FolderForm(request.POST, organization=request.organization, folder=found)
    if not form.is_valid():
        return render(request, "builder/knowledge/_folder_form.html", {"form": form, "folder": found}, status=422)
    services.folder_rename(folder=found, actor=request.user, name=form.cleaned_data["name"])
    return _go_to(request, found)


@require_POST
@workspace_view(Role.MEMBER)
def folder_delete(request: WorkspaceRequest, folder_id: str) -> HttpResponse:
    found = get_folder(request.organization, folder_id)
    services.folder_delete(folder=found, actor=request.user)
    messages.success(request, f"{found.name} is deleted, with its documents.")
    return redirect("knowledge", workspace=request.organization.slug)


# --- adding, in a dialog, which shows what is wrong with what was sent


@require_POST
@workspace_view(Role.MEMBER)
def folder_upload(request: WorkspaceRequest, folder_id: str) -> HttpResponse:
    found = get_folder(request.organization, folder_id)
    form = UploadForm(request.POST, request.FILES)
    if not form.is_valid():
        return _refused(request, found, "upload", form)
    for file in form.cleaned_data["documents"]:
        services.file_add(folder=found, actor=request.user, name=file.name, parts=file.chunks())
    return _go_to(request, found)


@require_POST
@workspace_view(Role.MEMBER)
def folder_website(request: WorkspaceRequest, folder_id: str) -> HttpResponse:
    found = get_folder(request.organization, folder_id)
    limits.require("knowledge_website", request.user, times=30, seconds=60)
    form = WebsiteForm(request.POST, folder=found)
    if not form.is_valid():
        return _refused(request, found, "website", form)
    services.website_add(folder=found, actor=request.user, **form.choice)
    return _go_to(request, found)


@require_POST
@workspace_view(Role.MEMBER)
def folder_text(request: WorkspaceRequest, folder_id: str) -> HttpResponse:
    found = get_folder(request.organization, folder_id)
    form = TextForm(request.POST)
    if not form.is_valid():
        return _refused(request, found, "text", form)
    services.text_add(folder=found, actor=request.user, **form.cleaned_data)
    return _go_to(request, found)


def _ways(found: KnowledgeFolder) -> dict[str, Any]:
    """The ways to add something."""
    return {"upload_form": UploadForm(), "website_form": WebsiteForm(folder=found), "text_form": TextForm()}


def _refused(request: WorkspaceRequest, found: KnowledgeFolder, way: str, form: Any) -> HttpResponse:
    context = {"folder": found, **_ways(found), f"{way}_form": form, "way": way}
    return render(request, "builder/knowledge/_add.html", context, status=422)


def _go_to(request: WorkspaceRequest, folder: KnowledgeFolder) -> HttpResponse:
    return HttpResponseClientRedirect(resolve_url(folder)) if request.htmx else redirect(folder)


# --- websites


@require_POST
@workspace_view(Role.MEMBER)
def website_schedule(request: WorkspaceRequest, website_id: str) -> HttpResponse:
    found = get_website(request.organization, website_id)
    form = ScheduleForm(request.POST)
    if not form.is_valid():
        raise ApiError(ErrorCode.VALIDATION_FAILED, "Not saved", "Choose how often the website is read again.")
    services.website_schedule(website=found, actor=request.user, schedule=form.cleaned_data["schedule"])
    return redirect(found.folder)


@require_POST
@workspace_view(Role.MEMBER)
def website_refresh(request: WorkspaceRequest, website_id: str) -> HttpResponse:
    found = get_website(request.organization, website_id)
    limits.require("knowledge_website", request.user, times=30, seconds=60)
    services.website_refresh(website=found, actor=request.user)
    return redirect(found.folder)


@require_POST
@workspace_view(Role.MEMBER)
def website_delete(request: WorkspaceRequest, website_id: str) -> HttpResponse:
    found = get_website(request.organization, website_id)
    services.website_delete(website=found, actor=request.user)
    messages.success(request, f"{found.url} is forgotten, with its pages.")
    return redirect(found.folder)


# --- documents


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@workspace_view()
def document(request: WorkspaceRequest, document_id: str) -> HttpResponse:
    """GET: a document with its passages. POST: change a typed text."""
    found = get_document(request.organization, document_id)
    form = None
    if found.source == Document.Source.TEXT and may(request.role, Role.MEMBER):
        form = TextForm(request.POST or None, initial={"name": found.name, "text": found.text})
    if request.method == "POST":
        require_role(request.role, Role.MEMBER)
        if form is None:
            raise ApiError(ErrorCode.CONFLICT, "Not a typed text", "Only typed texts are edited here.")
        if form.is_valid():
            services.text_update(document=found, actor=request.user, **form.cleaned_data)
            messages.success(request, "Saved. It is being learnt.")
            return redirect(found)
    chunks = selectors.passages_of(found)
    context = {
        "document": found,
        "form": form,
        "chunks": chunks[:SHOWN_CHUNKS],
        "chunks_count": chunks.count(),
        "may_edit": may(request.role, Role.MEMBER),
    }
    status = 422 if form is not None and form.is_bound else 200
    return render(request, "builder/knowledge/document.html", context, status=status)


@never_cache
@require_safe
@workspace_view()
def document_file(request: WorkspaceRequest, document_id: str) -> HttpResponseBase:
    """The file itself. It is only ever saved, never shown: what it is was said by whoever uploaded it."""
    found = get_document(request.organization, document_id)
    if not found.storage_key:
        raise Http404("There is no file.")
    path = files.path_of(found.storage_key)
    return file_response(request, path, content_type="application/octet-stream", name=_file_name(found), save=True)


def _file_name(found: Document) -> str:
    name = "".join(" " if c in '/\\"\r\n' else c for c in found.name).strip() or "document"
    return name if found.source == Document.Source.FILE else f"{name}.html"


@require_POST
@workspace_view(Role.MEMBER)
def document_retry(request: WorkspaceRequest, document_id: str) -> HttpResponse:
    found = get_document(request.organization, document_id)
    services.document_retry(document=found, actor=request.user)
    return redirect(found.folder)


@require_POST
@workspace_view(Role.MEMBER)
def document_delete(request: WorkspaceRequest, document_id: str) -> HttpResponse:
    found = get_document(request.organization, document_id)
    services.document_delete(document=found, actor=request.user)
    messages.success(request, f"{found.name} is deleted.")
    return redirect(found.folder)


# --- searching


@never_cache
@require_safe
@workspace_view()
def knowledge_search(request: WorkspaceRequest) -> HttpResponse:
    """What a question finds, and what the language model of an agent with these folders would be given."""
    form = SearchForm(request.GET, organization=request.organization)
    if not form.is_valid():
        raise ApiError(ErrorCode.VALIDATION_FAILED, "Not searched", "Choose one of the folders, and ask a question.")
    query, chosen = form.cleaned_data["q"], form.cleaned_data["folder"]
    context: dict[str, Any] = {"query": query}
    if query.strip():
        limits.require("knowledge_search", request.user, times=60, seconds=60)
        results = search(request.organization, [chosen] if chosen else None, query, most=MOST_FOUND)
        given = written(results.passages)
        context |= {"results": results, "given": given, "tokens": len(given) // CHARACTERS_PER_TOKEN}
    return render(request, "builder/knowledge/_results.html", context)


# --- the embedding model


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@workspace_view(Role.ADMIN)
def knowledge_model(request: WorkspaceRequest) -> HttpResponse:
    """Which model makes the vectors."""
    form = EmbeddingForm(request.POST if request.method == "POST" else None, organization=request.organization)
    if form.is_valid():
        services.embedding_choose(organization=request.organization, actor=request.user, **form.choice)
        messages.success(request, "Saved. Searches go on with the old vectors until the new ones are all there.")
        return redirect("knowledge_model", workspace=request.organization.slug)
    context = {"form": form, "learning": selectors.learning(request.organization)}
    return render(request, "builder/knowledge/model.html", context, status=422 if form.is_bound else 200)
