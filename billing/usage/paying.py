"""Out of which account a charge is paid, and into which one it is given back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from django.db.models import Sum

from accounts.models import Organization
from billing.ledger.models import Account, Transfer
from billing.ledger.services import Movement, account
from billing.usage.models import Charge, Unit, UsageEvent

Kind = Account.Kind

_TRANSFER_OF = {
    Charge.Kind.RATING: Transfer.Kind.USAGE,
    Charge.Kind.CORRECTION: Transfer.Kind.CORRECTION,
    Charge.Kind.REFUND: Transfer.Kind.REFUND,
}
# What is given back goes where it came from, the last account first.
_BACKWARDS = (Kind.OWED, Kind.PREPAID, Kind.ALLOWANCE, Kind.HOUSE, Kind.VENDORS)


class Payer:
    """Turns charges of a workspace into movements. Use it once, under the ledger's lock: it knows the balances as they
    will be."""

    def __init__(self, organization: Organization) -> None:
        self._organization = organization
        self._accounts: dict[tuple[Unit, Kind], Account] = {}
        self._paid: dict[int, dict[str, int]] = {}

    def movements(self, charges: Sequence[Charge]) -> list[Movement]:
        """Monthly budget first, then what was prepaid, and the rest is owed. What is given back takes the way back."""
        self._paid = _paid(charge.event_id for charge in charges if charge.number > 0)
        return [movement for charge in charges for movement in self._pay(charge)]

    def _pay(self, charge: Charge) -> Iterator[Movement]:
        event, unit = charge.event, Unit(charge.unit)
        parts = self._taken(event, unit, charge.amount) if charge.amount > 0 else self._returned(charge)
        receiver = Kind.PROVIDERS if event.own_key else Kind.USAGE
        paid = self._paid.setdefault(event.pk, {})
        for kind, amount in parts:
            payer = self._account(unit, kind)
            payer.balance -= amount
            paid[kind] = paid.get(kind, 0) + amount
            debit, credit = payer, self._account(unit, receiver)
            if amount < 0:
                debit, credit = credit, debit
            yield Movement(
                kind=_TRANSFER_OF[Charge.Kind(charge.kind)],
                debit=debit,
                credit=credit,
                amount=abs(amount),
                key=f"charge:{event.pk}:{charge.number}:{kind}",
                charge=charge,
            )

    def _taken(self, event: UsageEvent, unit: Unit, amount: int) -> Iterator[tuple[Kind, int]]:
        if event.own_key or event.plan_version.metered_only:
            yield Kind.VENDORS if event.own_key else Kind.HOUSE, amount
            return
        for kind in (Kind.ALLOWANCE, Kind.PREPAID):
            if there := min(amount, self._account(unit, kind).balance):
                yield kind, there
                amount -= there
        if amount:
            yield Kind.OWED, amount

    def _returned(self, charge: Charge) -> Iterator[tuple[Kind, int]]:
        back = -charge.amount
        for kind in _BACKWARDS:
            if there := min(back, self._paid.get(charge.event_id, {}).get(kind, 0)):
                yield kind, -there
                back -= there

    def _account(self, unit: Unit, kind: Kind) -> Account:
        if (unit, kind) not in self._accounts:
            self._accounts[unit, kind] = account(self._organization, kind, unit)
        return self._accounts[unit, kind]


def _paid(event_ids: Iterable[int]) -> dict[int, dict[str, int]]:
    """How much of each fact was taken from which kind of account so far, without what was given back."""
    paid: dict[int, dict[str, int]] = {}
    about = Transfer.objects.filter(charge__event__in=set(event_ids))
    for side, sign in (("debit", 1), ("credit", -1)):
        rows = about.values_list("charge__event", f"{side}__kind").annotate(sum=Sum("amount"))
        for event_id, kind, amount in rows.order_by():
            of_event = paid.setdefault(event_id, {})
            of_event[kind] = of_event.get(kind, 0) + sign * amount
    return paid
