"""Below /w/<workspace>/."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from builder.knowledge import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("knowledge/", views.knowledge, name="knowledge"),
    path("knowledge/search/", views.knowledge_search, name="knowledge_search"),
    path("knowledge/model/", views.knowledge_model, name="knowledge_model"),
    path("knowledge/documents/<str:document_id>/", views.document, name="knowledge_document"),
    path("knowledge/documents/<str:document_id>/file/", views.document_file, name="knowledge_document_file"),
    path("knowledge/documents/<str:document_id>/retry/", views.document_retry, name="knowledge_document_retry"),
    path("knowledge/documents/<str:document_id>/delete/", views.document_delete, name="knowledge_document_delete"),
    path("knowledge/websites/<str:website_id>/schedule/", views.website_schedule, name="knowledge_website_schedule"),
    path("knowledge/websites/<str:website_id>/refresh/", views.website_refresh, name="knowledge_website_refresh"),
    path("knowledge/websites/<str:website_id>/delete/", views.website_delete, name="knowledge_website_delete"),
    path("knowledge/folders/new/", views.folder_new, name="knowledge_folder_new"),
    path("knowledge/folders/<str:folder_id>/", views.folder, name="knowledge_folder"),
    path("knowledge/folders/<str:folder_id>/rows/", views.folder_rows, name="knowledge_folder_rows"),
    path("knowledge/folders/<str:folder_id>/upload/", views.folder_upload, name="knowledge_folder_upload"),
    path("knowledge/folders/<str:folder_id>/text/", views.folder_text, name="knowledge_folder_text"),
    path("knowledge/folders/<str:folder_id>/website/", views.folder_website, name="knowledge_folder_website"),
    path("knowledge/folders/<str:folder_id>/rename/", views.folder_rename, name="knowledge_folder_rename"),
    path("knowledge/folders/<str:folder_id>/delete/", views.folder_delete, name="knowledge_folder_delete"),
]
