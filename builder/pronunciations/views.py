"""The pages of dictionaries."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import WorkspaceRequest, may, require_role, workspace_view
from accounts.models import Role
from builder import engine, voices
from builder.forms import PreviewForm
from builder.pronunciations import exchange, selectors, services
from builder.pronunciations.access import get_dictionary, get_entry
from builder.pronunciations.forms import DictionaryForm, EntryForm, ImportForm
from builder.pronunciations.models import PronunciationDictionary
from builder.views.voice import preview
from core.errors import ApiError, ErrorCode
from voice.text.pronunciation import Lexicon


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@workspace_view()
def pronunciations(request: WorkspaceRequest) -> HttpResponse:
    """The list of dictionaries; a POST makes one."""
    form = DictionaryForm(request.POST if request.method == "POST" else None, organization=request.organization)
    if form.is_bound:
        require_role(request.role, Role.MEMBER)
        if form.is_valid():
            name = form.cleaned_data["name"]
            return redirect(
                services.dictionary_create(organization=request.organization, actor=request.user, name=name)
            )
    context = {
        "form": form,
        "dictionaries": selectors.dictionary_list(request.organization),
        "may_edit": may(request.role, Role.MEMBER),
    }
    return render(request, "builder/pronunciations/dictionaries.html", context, status=422 if form.is_bound else 200)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@workspace_view()
def dictionary(request: WorkspaceRequest, dictionary_id: str) -> HttpResponse:
    """One dictionary; a POST adds an entry."""
    found = get_dictionary(request.organization, dictionary_id)
    form = EntryForm(request.POST if request.method == "POST" else None)
    if form.is_bound:
        require_role(request.role, Role.MEMBER)
        if _saved(request, found, form):
            return redirect(found)
    return _page(request, found, form=form, status=422 if form.is_bound else 200)


def _saved(request: WorkspaceRequest, found: PronunciationDictionary, form: EntryForm, **to: Any) -> bool:
    if not form.is_valid():
        return False
    try:
        services.entry_save(dictionary=found, actor=request.user, pronunciation=form.pronunciation, **to)
    except ApiError as error:
        form.add_error("text", error.message)
        return False
    messages.success(request, f"“{form.pronunciation.text}” is saved. It is heard from the next call on.")
    return True


def _page(request: WorkspaceRequest, found: PronunciationDictionary, *, status: int = 200, **more: Any) -> HttpResponse:
    context = {
        "dictionary": found,
        "entries": list(found.entries.all()),
        "agents": selectors.agents_using(found),
        "may_edit": may(request.role, Role.MEMBER),
        "form": EntryForm(),
        "name_form": DictionaryForm(organization=request.organization, instance=found),
        "import_form": ImportForm(),
        "most": services.MOST_ENTRIES,
        "voices": voices.CHOICES,
        "speech": engine.speech_notice(),
        **more,
    }
    return render(request, "builder/pronunciations/dictionary.html", context, status=status)


@require_POST
@workspace_view(Role.MEMBER)
def dictionary_rename(request: WorkspaceRequest, dictionary_id: str) -> HttpResponse:
    found = get_dictionary(request.organization, dictionary_id)
    form = DictionaryForm(request.POST, organization=request.organization, instance=found)
    if not form.is_valid():
        return _page(request, found, name_form=form, status=422)
    services.dictionary_rename(dictionary=found, actor=request.user, name=form.cleaned_data["name"])
    return redirect(found)


@require_POST
@workspace_view(Role.MEMBER)
def dictionary_delete(request: WorkspaceRequest, dictionary_id: str) -> HttpResponse:
    found = get_dictionary(request.organization, dictionary_id)
    services.dictionary_delete(dictionary=found, actor=request.user)
    messages.success(request, f"{found.name} is deleted.")
    return redirect("pronunciations", workspace=request.organization.slug)


@require_POST
@workspace_view(Role.MEMBER)
def dictionary_import(request: WorkspaceRequest, dictionary_id: str) -> HttpResponse:
    """Take the good lines of a CSV file, and say which ones are bad."""
    found = get_dictionary(request.organization, dictionary_id)
    form = ImportForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, found, import_form=form, status=422)
    try:
        sheet = exchange.read(form.cleaned_data["file"])
        added, changed = services.entries_import(
            dictionary=found, actor=request.user, entries=list(sheet.entries.values())
        )
    except (ValueError, ApiError) as error:
        form.add_error("file", error.message if isinstance(error, ApiError) else str(error))
        return _page(request, found, import_form=form, status=422)
    return _page(request, found, report={"added": added, "changed": changed, "bad": sheet.bad})


@never_cache
@require_safe
@workspace_view()
def dictionary_export(request: WorkspaceRequest, dictionary_id: str) -> HttpResponse:
    found = get_dictionary(request.organization, dictionary_id)
    text = exchange.written(entry.pronunciation for entry in found.entries.all())
    headers = {"Content-Disposition": 'attachment; filename="pronunciations.csv"'}
    return HttpResponse(text, content_type="text/csv; charset=utf-8", headers=headers)


@never_cache
@require_POST
@workspace_view(Role.MEMBER)
def dictionary_listen(request: WorkspaceRequest, dictionary_id: str) -> HttpResponse:
    """A word as a voice says it by itself, or with `after`, as the entry in the form wants it; as WAV."""
    get_dictionary(request.organization, dictionary_id)
    entry = EntryForm(request.POST)
    if not entry.is_valid():
        message = next(iter(entry.errors.values()))[0]
        raise ApiError(ErrorCode.VALIDATION_FAILED, "Nothing to play", str(message))
    lexicon = Lexicon([entry.pronunciation] if "after" in request.POST else [])
    form = PreviewForm(request.POST, organization=request.organization)
    return preview(request.user, form, language="en", lexicon=lexicon)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@workspace_view(Role.MEMBER)
def entry(request: WorkspaceRequest, dictionary_id: str, entry_id: str) -> HttpResponse:
    found = get_dictionary(request.organization, dictionary_id)
    stored = get_entry(found, entry_id)
    form = EntryForm(request.POST if request.method == "POST" else None, initial=stored.pronunciation.model_dump())
    if form.is_bound and _saved(request, found, form, entry=stored):
        return redirect(found)
    context = {"dictionary": found, "entry": stored, "form": form, "voices": voices.CHOICES}
    return render(request, "builder/pronunciations/entry.html", context, status=422 if form.is_bound else 200)


@require_POST
@workspace_view(Role.MEMBER)
def entry_delete(request: WorkspaceRequest, dictionary_id: str, entry_id: str) -> HttpResponse:
    found = get_dictionary(request.organization, dictionary_id)
    stored = get_entry(found, entry_id)
    services.entry_delete(entry=stored, actor=request.user)
    messages.success(request, f"“{stored.text}” is deleted.")
    return redirect(found)
