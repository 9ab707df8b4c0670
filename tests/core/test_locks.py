"""One at a time, across processes."""

from __future__ import annotations

import threading

import pytest
from django.db import connection, transaction

from core.locks import transaction_lock


@pytest.mark.django_db(transaction=True)
def test_a_lock_outside_a_transaction_is_refused() -> None:
    with pytest.raises(transaction.TransactionManagementError, match="needs a transaction"):
        transaction_lock("name")


@pytest.mark.django_db(transaction=True)
def test_two_who_want_the_same_lock_take_turns() -> None:
    order: list[str] = []
    first_has_it, second_wants_it = threading.Event(), threading.Event()
    failures: list[BaseException] = []

    def second() -> None:
        try:
            first_has_it.wait(5)
            second_wants_it.set()
            with transaction.atomic():
                transaction_lock("same")
                order.append("second")
        except BaseException as error:
            failures.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=second)
    thread.start()
    with transaction.atomic():
        transaction_lock("same")
        first_has_it.set()
        second_wants_it.wait(5)
        # Long enough for the other to get in, if the lock did not hold it back.
        thread.join(0.1)
        order.append("first")
    thread.join(5)
    assert (order, failures) == (["first", "second"], [])
