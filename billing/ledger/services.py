"""What moves money and credits. Every movement is a transfer with a key, so that doing it twice does it once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F

from accounts.models import Organization, User
from accounts.services import audit
from billing.ledger.models import Account, Transfer
from billing.usage.models import Charge, Unit
from core.errors import ApiError, ErrorCode
from core.locks import transaction_lock

Kind = Account.Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """A transfer that is to be made: `amount` (> 0) from account `debit` to account `credit`."""

    kind: Transfer.Kind
    debit: Account
    credit: Account
    amount: int
    key: str
    charge: Charge | None = None
    note: str = ""
    actor: User | None = None


def ledger_lock(organization: Organization) -> None:
    """Let nobody else touch the money or the leases of this workspace until the transaction ends."""
    transaction_lock(f"billing:{organization.pk}")


def account(organization: Organization, kind: Account.Kind, unit: Unit = Unit.USD) -> Account:
    """The account as it is now, made when first asked for. Hold the ledger's lock to rely on its balance."""
    return Account.objects.get_or_create(organization=organization, unit=unit, kind=kind)[0]


def post(organization: Organization, movements: Iterable[Movement]) -> list[Transfer]:
    """Make transfers, and bring the balances up to date; those whose key was used before are left out.

    The caller holds the ledger's lock. Raises IntegrityError when an account would be overdrawn that may not be: that
    is a mistake of the caller, who has seen the balance under the lock.
    """
    wanted = {movement.key: movement for movement in movements}
    done = Transfer.objects.filter(organization=organization, key__in=wanted).values_list("key", flat=True)
    for key in list(done):
        del wanted[key]
    rows = [
        Transfer(
            organization=organization,
            kind=movement.kind,
            debit=movement.debit,
            credit=movement.credit,
            amount=movement.amount,
            key=movement.key,
            charge=movement.charge,
            note=movement.note,
            actor=movement.actor,
        )
        for movement in wanted.values()
    ]
    Transfer.objects.bulk_create(rows)
    changes: dict[int, int] = {}
    for row in rows:
        changes[row.debit_id] = changes.get(row.debit_id, 0) - row.amount
        changes[row.credit_id] = changes.get(row.credit_id, 0) + row.amount
    for pk, change in sorted(changes.items()):
        if change:
            Account.objects.filter(pk=pk).update(balance=F("balance") + change)
    return rows


@transaction.atomic
def prepaid_add(
    *,
    organization: Organization,
    amount: int,
    key: str,
    unit: Unit = Unit.USD,
    actor: User | None = None,
    note: str = "",
    kind: Transfer.Kind = Transfer.Kind.PURCHASE,
) -> bool:
    """Add money or credits that stay: a top-up, or an administrator's gift (`kind` ADJUSTMENT). False: `key` is known.

    What is owed is paid first.
    """
    if amount <= 0:
        raise ApiError(ErrorCode.VALIDATION_FAILED, "Nothing to add", "Give an amount above zero.")
    ledger_lock(organization)
    if Transfer.objects.filter(organization=organization, key=key).exists():
        return False
    outside, prepaid = account(organization, Kind.OUTSIDE, unit), account(organization, Kind.PREPAID, unit)
    owed = account(organization, Kind.OWED, unit)
    pays = min(amount, max(0, -owed.balance))
    movements = [Movement(kind=kind, debit=outside, credit=prepaid, amount=amount, key=key, note=note, actor=actor)]
    post(organization, movements)
    if pays:
        settled = Movement(kind=Transfer.Kind.PAYMENT, debit=prepaid, credit=owed, amount=pays, key=f"{key}:owed")
        post(organization, [settled])
    if actor is not None:
        added = {unit.value: ("", amount), "note": ("", note)}
        audit(organization=organization, actor=actor, action=f"ledger.{kind.value}", target=key, changes=added)
    return True


@transaction.atomic
def prepaid_take_back(
    *,
    organization: Organization,
    amount: int,
    key: str,
    unit: Unit = Unit.USD,
    actor: User | None = None,
    note: str = "",
) -> bool:
    """Pay prepaid money back (a refunded or disputed top-up). What was spent of it already is then owed.

    False, and no change, when `key` is known.
    """
    ledger_lock(organization)
    if Transfer.objects.filter(organization=organization, key__in=[key, f"{key}:owed"]).exists():
        return False
    outside, prepaid = account(organization, Kind.OUTSIDE, unit), account(organization, Kind.PREPAID, unit)
    there = min(amount, prepaid.balance)
    refund = Transfer.Kind.REFUND
    movements = []
    if there:
        movements.append(
            Movement(kind=refund, debit=prepaid, credit=outside, amount=there, key=key, note=note, actor=actor)
        )
    if amount > there:
        owed = account(organization, Kind.OWED, unit)
        rest, rest_key = amount - there, f"{key}:owed"
        movements.append(
            Movement(kind=refund, debit=owed, credit=outside, amount=rest, key=rest_key, note=note, actor=actor)
        )
    post(organization, movements)
    if actor is not None:
        taken = {unit.value: ("", -amount), "note": ("", note)}
        audit(organization=organization, actor=actor, action="ledger.refund", target=key, changes=taken)
    return True


@transaction.atomic
def owed_pay(*, organization: Organization, amount: int, key: str, actor: User | None = None, note: str = "") -> bool:
    """An invoice for usage beyond the budget was paid. False, and no change, when `key` is known."""
    ledger_lock(organization)
    outside, owed = account(organization, Kind.OUTSIDE), account(organization, Kind.OWED)
    payment = Movement(
        kind=Transfer.Kind.PAYMENT, debit=outside, credit=owed, amount=amount, key=key, note=note, actor=actor
    )
    return bool(post(organization, [payment]))
