"""Texts that are encrypted in the database."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import FieldError, ImproperlyConfigured
from django.db import connection

from accounts.models import Organization
from builder.models import ModelConnection

pytestmark = pytest.mark.django_db
SECRET = "sk-grün-0123"


@pytest.fixture
def row() -> ModelConnection:
    organization = Organization.objects.create(name="Acme", slug="acme")
    return ModelConnection.objects.create(
        organization=organization, name="c", base_url="https://example.com/v1", api_key=SECRET, default_model="m"
    )


def stored() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT api_key FROM builder_modelconnection")
        return str(cursor.fetchone()[0])


def test_the_database_never_sees_the_text(row: ModelConnection) -> None:
    assert SECRET not in stored()
    assert ModelConnection.objects.get().api_key == SECRET
    assert list(ModelConnection.objects.values_list("api_key", flat=True)) == [SECRET]


def test_an_update_and_a_bulk_update_encrypt_too(row: ModelConnection) -> None:
    ModelConnection.objects.update(api_key="other")
    assert "other" not in stored()
    row.api_key = "third"
    ModelConnection.objects.bulk_update([row], ["api_key"])
    assert "third" not in stored()
    assert ModelConnection.objects.get().api_key == "third"


def test_no_text_is_stored_as_no_text(row: ModelConnection) -> None:
    row.api_key = ""
    row.save()
    assert stored() == ""
    assert ModelConnection.objects.get().api_key == ""


def test_the_same_text_is_stored_differently_each_time(row: ModelConnection) -> None:
    before = stored()
    row.save()
    assert stored() != before


def test_a_new_first_key_writes_and_the_old_ones_still_read(row: ModelConnection, settings: Any) -> None:
    old, new = settings.FIELD_ENCRYPTION_KEYS[0], Fernet.generate_key().decode()
    settings.FIELD_ENCRYPTION_KEYS = [new, old]
    read = ModelConnection.objects.get()
    assert read.api_key == SECRET
    read.save()
    settings.FIELD_ENCRYPTION_KEYS = [new]
    assert ModelConnection.objects.get().api_key == SECRET


def test_a_lost_key_is_a_clear_message_without_the_secret(row: ModelConnection, settings: Any) -> None:
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(ImproperlyConfigured, match=r"opens a stored builder\.ModelConnection\.api_key"):
        ModelConnection.objects.get()


@pytest.mark.parametrize("lookup", ["api_key", "api_key__contains", "api_key__in", "api_key__startswith"])
def test_a_secret_cannot_be_searched_for(row: ModelConnection, lookup: str) -> None:
    with pytest.raises(FieldError):
        list(ModelConnection.objects.filter(**{lookup: [SECRET]}))


def test_one_may_ask_whether_there_is_a_value(row: ModelConnection) -> None:
    assert ModelConnection.objects.filter(api_key__isnull=False).exists()
