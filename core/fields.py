"""Model fields."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models

if TYPE_CHECKING:
    _TextField = models.TextField[str, str]
else:
    _TextField = models.TextField


@lru_cache(maxsize=4)
def _cipher(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def cipher() -> MultiFernet:
    """Writes with the first of `FIELD_ENCRYPTION_KEYS` and reads with any of them."""
    return _cipher(tuple(settings.FIELD_ENCRYPTION_KEYS))


class EncryptedTextField(_TextField):
    """Text that is encrypted in the database. Nothing is stored for "", so that "is there a secret" can be asked.

    To change keys put the new one first in `FIELD_ENCRYPTION_KEYS` and keep the old ones after it; a row is written
    with the new key when it is next saved.
    """

    def get_prep_value(self, value: Any) -> Any:
        value = super().get_prep_value(value)
        return cipher().encrypt(value.encode()).decode() if value else value

    def from_db_value(self, value: str | None, expression: object, connection: object) -> str | None:
        if not value:
            return value
        try:
            return cipher().decrypt(value.encode()).decode()
        except InvalidToken:
            raise ImproperlyConfigured(
                f"None of FIELD_ENCRYPTION_KEYS opens a stored {self.model._meta.label}.{self.name}. "
                "Bring back the key that wrote it."
            ) from None

    def get_lookup(self, lookup_name: str) -> Any:
        """Only "is it there": each encryption of a text is different, so comparing could never match."""
        return super().get_lookup(lookup_name) if lookup_name == "isnull" else None
