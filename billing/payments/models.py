"""What is known of a workspace at the payment service, and every payment."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from accounts.models import Organization, User
from core.ids import PrefixedIdField


class PaymentAccount(models.Model):
    """A workspace at the payment service: who it is there, its subscription, and whether it is behind."""

    organization = models.OneToOneField(Organization, models.CASCADE, related_name="payment_account")
    customer_id = models.CharField(max_length=80, unique=True)
    subscription_id = models.CharField(max_length=80, blank=True)
    """Empty while there is none that is not over."""
    offer_id = models.CharField(max_length=80, blank=True)
    """The version of a plan that the subscription renews with."""
    asked_at = models.DateTimeField(null=True, blank=True)
    """When the service was asked for the state that is stored: a later answer than an older question's is kept."""
    past_due_since = models.DateTimeField(null=True, blank=True)
    pay_url = models.CharField(max_length=500, blank=True)
    """Where what is open can be paid."""

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["subscription_id"], condition=~models.Q(subscription_id=""), name="remote_subscription_once"
            ),
        ]

    def __str__(self) -> str:
        return self.customer_id


class Payment(models.Model):
    """Money that was to be added to the prepaid balance: by somebody, or by itself when the balance ran low."""

    class Kind(models.TextChoices):
        TOP_UP = "top_up", "Top-up"
        RECHARGE = "recharge", "Automatic recharge"

    class Status(models.TextChoices):
        STARTED = "started", "Started"
        SUCCEEDED = "succeeded", "Paid"
        FAILED = "failed", "Failed"

    id = PrefixedIdField(prefix="pay")
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="payments")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    status = models.CharField(max_length=9, choices=Status.choices, default=Status.STARTED)
    amount = models.BigIntegerField()
    """Micro-dollars."""
    refunded = models.BigIntegerField(default=0)
    reference = models.CharField(max_length=120, blank=True)
    """The service's id of it, once it has one."""
    reason = models.CharField(max_length=300, blank=True)
    """Why it failed."""
    actor = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    settled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-created_at"]
        constraints: ClassVar = [
            # One recharge at a time, whoever asks for it.
            models.UniqueConstraint(
                fields=["organization"],
                condition=models.Q(kind="recharge", status="started"),
                name="one_recharge_at_a_time",
            ),
            models.CheckConstraint(
                condition=models.Q(amount__gt=0, refunded__gte=0, refunded__lte=models.F("amount")),
                name="payment_amounts",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.amount}"


class AutoRecharge(models.Model):
    """`amount` is added by itself when less than `threshold` is available."""

    organization = models.OneToOneField(Organization, models.CASCADE, related_name="auto_recharge")
    enabled = models.BooleanField(default=False)
    threshold = models.BigIntegerField()
    amount = models.BigIntegerField()
    """Both micro-dollars."""
    failures = models.PositiveSmallIntegerField(default=0)
    """In a row. After some of them it is switched off."""
    tried_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(threshold__gte=0, amount__gt=0), name="recharge_amounts"),
        ]

    def __str__(self) -> str:
        return f"{self.amount} below {self.threshold}"


class WebhookEvent(models.Model):
    """A message of the payment service. Told twice, it is handled once."""

    id = models.CharField(primary_key=True, max_length=120)
    """The service's."""
    kind = models.CharField(max_length=80)
    received_at = models.DateTimeField(auto_now_add=True)
    handled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-received_at"]

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"
