"""One at a time, across processes."""

from __future__ import annotations

import hashlib

from django.db import connection, transaction


def transaction_lock(name: str) -> None:
    """Wait until no other transaction holds the lock `name`, and hold it until this transaction ends.

    On SQLite every transaction takes the database's one write lock when it begins (`transaction_mode` IMMEDIATE), so
    there is nothing left to do. Raises TransactionManagementError outside a transaction, which would lose it at once.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("transaction_lock needs a transaction to hold the lock for.")
    if connection.vendor == "postgresql":
        key = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), signed=True)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [key])
