"""Below /w/<workspace>/."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from builder.pronunciations import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("pronunciations/", views.pronunciations, name="pronunciations"),
    path("pronunciations/<str:dictionary_id>/", views.dictionary, name="pronunciation_dictionary"),
    path("pronunciations/<str:dictionary_id>/rename/", views.dictionary_rename, name="pronunciation_rename"),
    path("pronunciations/<str:dictionary_id>/delete/", views.dictionary_delete, name="pronunciation_delete"),
    path("pronunciations/<str:dictionary_id>/import/", views.dictionary_import, name="pronunciation_import"),
    path("pronunciations/<str:dictionary_id>/export.csv", views.dictionary_export, name="pronunciation_export"),
    path("pronunciations/<str:dictionary_id>/listen/", views.dictionary_listen, name="pronunciation_listen"),
    path("pronunciations/<str:dictionary_id>/entries/<str:entry_id>/", views.entry, name="pronunciation_entry"),
    path(
        "pronunciations/<str:dictionary_id>/entries/<str:entry_id>/delete/",
        views.entry_delete,
        name="pronunciation_entry_delete",
    ),
]
