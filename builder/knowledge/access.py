"""The only way in which a view gets something of the knowledge base: 404 unless it is in the reader's own workspace."""

from __future__ import annotations

from django.http import Http404

from accounts.models import Organization
from builder.knowledge.models import Document, KnowledgeFolder, Website


def get_folder(organization: Organization, folder_id: str) -> KnowledgeFolder:
    folder = KnowledgeFolder.objects.select_related("organization").filter(organization=organization, pk=folder_id)
    if (found := folder.first()) is None:
        raise Http404("No such folder.")
    return found


def get_document(organization: Organization, document_id: str) -> Document:
    document = Document.objects.select_related("folder__organization", "website").filter(
        folder__organization=organization, pk=document_id
    )
    if (found := document.first()) is None:
        raise Http404("No such document.")
    return found


def get_website(organization: Organization, website_id: str) -> Website:
    website = Website.objects.select_related("folder__organization").filter(
        folder__organization=organization, pk=website_id
    )
    if (found := website.first()) is None:
        raise Http404("No such website.")
    return found
