"""Forms of the knowledge base."""

from __future__ import annotations

from typing import Any, ClassVar
from urllib.parse import urlsplit

from django import forms

from accounts.models import Organization
from builder.knowledge import crawl, html
from builder.knowledge.embedding import VENDORS
from builder.knowledge.models import KnowledgeFolder, KnowledgeSettings, Website
from builder.knowledge.parsing import MOST_CHARACTERS, SUFFIXES


class FolderForm(forms.Form):
    name = forms.CharField(label="Name", max_length=80, help_text="Such as Opening hours, Products, House rules.")

    def __init__(self, data: Any = None, *, organization: Organization, folder: KnowledgeFolder | None = None) -> None:
        super().__init__(data, initial={"name": folder.name} if folder else None)
        self._others = KnowledgeFolder.objects.filter(organization=organization).exclude(pk=folder and folder.pk)

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if self._others.filter(name=name).exists():
            raise forms.ValidationError("There is already a folder of this name.")
        return name


class _FilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    """One file or several, as a list."""

    widget = _FilesInput

    def clean(self, data: Any, initial: Any = None) -> list[Any]:
        given = (data if isinstance(data, list | tuple) else [data]) or [None]
        return [super(FilesField, self).clean(one, initial) for one in given]


class UploadForm(forms.Form):
    documents = FilesField(
        label="Files",
        max_length=200,
        widget=_FilesInput(attrs={"accept": SUFFIXES, "data-most-bytes": 50_000_000}),
        help_text="PDF, Word, HTML, Markdown, text or CSV; up to 50 MB at a time.",
    )


class TextForm(forms.Form):
    """A typed text. Its controls' ids are its own: the folder's name is on the same page."""

    name = forms.CharField(label="Title", max_length=200, help_text="What the text is about.")
    text = forms.CharField(
        label="Text",
        max_length=MOST_CHARACTERS,
        widget=forms.Textarea(attrs={"rows": 12}),
        help_text="Plain text. Lines that begin with # are headings, which help to find what stands below them.",
    )

    def __init__(self, data: Any = None, *, initial: dict[str, Any] | None = None) -> None:
        super().__init__(data, initial=initial, auto_id="text_%s")


class WebsiteForm(forms.Form):
    """A page to read, and what of its links."""

    PAGE, SITE = "page", "site"
    EXTENTS: ClassVar = [(PAGE, "This page only"), (SITE, "This page and those that it leads to")]

    url = forms.CharField(
        label="Address",
        max_length=1000,
        widget=forms.URLInput(attrs={"placeholder": "https://example.org/help"}),
        help_text="A page, or a sitemap such as https://example.org/sitemap.xml. "
        "What the site's robots.txt forbids is not read.",
    )
    extent = forms.ChoiceField(label="What to read", choices=EXTENTS, initial=PAGE)
    most_pages = forms.IntegerField(
        label="Most pages", min_value=1, max_value=crawl.MOST_PAGES, initial=50, help_text="Of the same host."
    )
    depth = forms.IntegerField(
        label="Links deep",
        min_value=0,
        max_value=crawl.MOST_DEPTH,
        initial=2,
        help_text="How many clicks from the first page.",
    )
    schedule = forms.ChoiceField(
        label="Read again",
        choices=Website.Schedule.choices,
        initial=Website.Schedule.WEEKLY,
        help_text="Pages that changed are learnt anew; those that are gone are forgotten.",
    )

    def __init__(self, data: Any = None, *, folder: KnowledgeFolder) -> None:
        super().__init__(data)
        self._folder = folder

    def clean_url(self) -> str:
        try:
            url = html.plain_address(self.cleaned_data["url"].strip())
            parts = urlsplit(url)
            complete = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            complete = False
        if not complete:
            raise forms.ValidationError("Write a whole address, such as https://example.org/help")
        if parts.username or parts.password:
            raise forms.ValidationError("Leave out the user name and password.")
        if self._folder.websites.filter(url=url).exists():
            raise forms.ValidationError("This address is in the folder already. Read it again there.")
        return url

    @property
    def choice(self) -> dict[str, Any]:
        """What was chosen, as `services.website_add` takes it."""
        data = self.cleaned_data
        chosen = {"url": data["url"], "schedule": data["schedule"], "most_pages": 1, "depth": 0}
        if data["extent"] == self.SITE or urlsplit(data["url"]).path.endswith(".xml"):
            chosen |= {"most_pages": data["most_pages"], "depth": data["depth"]}
        return chosen


class ScheduleForm(forms.Form):
    schedule = forms.ChoiceField(label="Read again", choices=Website.Schedule.choices)


class SearchForm(forms.Form):
    q = forms.CharField(
        label="Ask as a caller would",
        max_length=1000,
        required=False,
        widget=forms.TextInput(attrs={"placeholder": "Are you open on Saturdays?", "autocomplete": "off"}),
    )
    folder = forms.ChoiceField(label="In", required=False)

    def __init__(self, data: Any = None, *, organization: Organization, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        folders = organization.knowledge_folders.values_list("pk", "name")
        choice: Any = self.fields["folder"]
        choice.choices = [("", "All folders"), *folders]


class EmbeddingForm(forms.Form):
    """Which model makes the vectors."""

    connection = forms.ChoiceField(label="Made by", required=False)
    model = forms.CharField(
        label="Model",
        max_length=120,
        required=False,
        help_text="As the service calls it, such as text-embedding-3-small.",
    )

    def __init__(self, data: Any = None, *, organization: Organization) -> None:
        stored = KnowledgeSettings.objects.filter(organization=organization).first() or KnowledgeSettings()
        super().__init__(data, initial={"connection": stored.connection_id or "", "model": stored.model})
        self.connections = {known.pk: known for known in organization.model_connections.filter(vendor__in=VENDORS)}
        choice: Any = self.fields["connection"]
        choice.choices = [
            ("", "MiniLM on this machine"),
            *((key, known.name) for key, known in self.connections.items()),
        ]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("connection") and not data.get("model"):
            self.add_error("model", "Write which model makes the vectors.")
        return data

    @property
    def choice(self) -> dict[str, Any]:
        """What was chosen, as `services.embedding_choose` takes it."""
        data = self.cleaned_data
        return {"connection": self.connections.get(data["connection"]), "model": data["model"]}
