"""Rows that are written once. The database refuses to change them as well: see `append_only_triggers`."""

from __future__ import annotations

from typing import Any, NoReturn

from django.db import models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


class RowIsFinal(TypeError):
    """Somebody tried to change or delete what may only be added to."""


class AppendOnlyQuerySet(models.QuerySet[Any]):
    def update(self, **fields: object) -> NoReturn:
        raise RowIsFinal(f"{self.model.__name__} rows are never changed: add a row that corrects.")

    def delete(self) -> NoReturn:
        raise RowIsFinal(f"{self.model.__name__} rows are never deleted.")


class AppendOnly(models.Model):
    """A model whose rows are added, and neither changed nor deleted."""

    objects: Any = AppendOnlyQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **options: Any) -> None:
        """Raises RowIsFinal for a row that is stored already."""
        if not self._state.adding:
            raise RowIsFinal(f"{type(self).__name__} rows are never changed: add a row that corrects.")
        super().save(*args, **options)

    def delete(self, *args: Any, **options: Any) -> NoReturn:
        raise RowIsFinal(f"{type(self).__name__} rows are never deleted.")


def append_only_triggers(table: str, editor: BaseDatabaseSchemaEditor) -> None:
    """Make the database itself refuse to update or delete rows of `table`: for migrations, on SQLite and Postgres.

    SQLite changes a table by making another one, without the triggers: a later migration of it ends with this again.
    """
    if editor.connection.vendor == "postgresql":
        editor.execute(
            "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION '% rows are final', TG_TABLE_NAME; END $$",
            params=None,
        )
        editor.execute(
            f'CREATE TRIGGER {table}_final BEFORE UPDATE OR DELETE ON "{table}" '
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        return
    for deed in ("update", "delete"):
        editor.execute(
            f'CREATE TRIGGER {table}_no_{deed} BEFORE {deed.upper()} ON "{table}" '
            f"BEGIN SELECT RAISE(ABORT, '{table} rows are final'); END"
        )


def drop_append_only_triggers(table: str, editor: BaseDatabaseSchemaEditor) -> None:
    """Undo `append_only_triggers`."""
    if editor.connection.vendor == "postgresql":
        editor.execute(f'DROP TRIGGER IF EXISTS {table}_final ON "{table}"')
        return
    for deed in ("update", "delete"):
        editor.execute(f"DROP TRIGGER IF EXISTS {table}_no_{deed}")
