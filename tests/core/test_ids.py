"""Public identifiers."""

from __future__ import annotations

import re
from typing import Any

import pytest
import time_machine
from django.db import models

from accounts.models import Organization
from core.ids import PrefixedIdField, new_id


def test_an_id_names_its_kind_and_cannot_be_guessed() -> None:
    made = {new_id("agent") for _ in range(2000)}
    assert len(made) == 2000
    assert all(re.fullmatch(r"agent_[0-9a-hjkmnp-tv-z]{26}", one) for one in made)


def test_ids_sort_by_age() -> None:
    made = []
    for moment in ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00.001Z", "2026-11-23T10:00:00Z", "2090-01-01T00:00:00Z"):
        with time_machine.travel(moment, tick=False):
            made.append(new_id("call"))
    assert made == sorted(made)


def test_a_row_has_its_id_before_it_is_stored() -> None:
    assert Organization(name="Acme").pk.startswith("org_")


@pytest.mark.django_db
def test_an_id_that_is_given_is_kept() -> None:
    Organization.objects.create(pk="org_given", name="Acme", slug="acme")
    assert Organization.objects.get().pk == "org_given"


def test_a_migration_names_the_prefix_and_nothing_that_is_fixed() -> None:
    field = PrefixedIdField(prefix="agent")
    field.set_attributes_from_name("id")
    _, path, args, kwargs = field.deconstruct()
    assert (path, args, kwargs) == ("core.ids.PrefixedIdField", [], {"prefix": "agent"})
    again: models.Field[Any, Any] = PrefixedIdField(*args, **kwargs)
    assert (again.primary_key, again.max_length, again.editable) == (True, 40, False)
