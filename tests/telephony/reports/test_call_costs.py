"""The page of a call shows what the ledger has, to the micro-dollar."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db.models import Sum
from django.urls import reverse

from accounts.models import Organization, User
from billing.ledger.models import Account, Transfer
from billing.usage.calls import call_settle
from billing.usage.models import UsageEvent
from billing.usage.services import usage_refund
from telephony.metering import call_meter, finished
from telephony.models import Call, CallEvent
from telephony.selectors import call_page
from tests.builder.pages import html
from tests.conftest import CallFactory, ClientFactory
from tests.telephony.test_costs import SERVICES, asked, spoken
from tests.telephony.test_costs import finished as answered
from voice import events

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)


@pytest.fixture
def call(call_factory: CallFactory) -> Call:
    """Ten minutes on a number of the platform, with odd quantities; settled and metered."""
    made = call_factory(
        services=SERVICES,
        started_at=NOON,
        ended_at=NOON + timedelta(minutes=10),
        duration_ms=600_000,
        line=Call.Line.PLATFORM,
        number="+15550100",
        direction="inbound",
    )
    happened: list[events.Event] = [
        asked("a"),
        answered("a", input_tokens=1_237, cached_tokens=411, output_tokens=53),
        asked("b"),
        answered("b", input_tokens=1_913, cached_tokens=0, output_tokens=77),
        *spoken("c", 137),
        *spoken("d", 211),
        events.ListeningFinished(at=600.0, provider="Ears nova-3", billed_seconds=599.347),
    ]
    rows = [CallEvent.of(made.pk, number, events.encode(event)) for number, event in enumerate(happened)]
    CallEvent.objects.bulk_create(rows)
    call_settle(call=finished(made))
    call_meter(call_id=made.pk)
    return Call.objects.select_related("agent", "version", "organization", "started_by").get(pk=made.pk)


def ledger(call: Call) -> int:
    """What was moved for a call, less what was moved back."""
    spent = Transfer.objects.filter(charge__event__call_id=call.pk)
    receivers = [Account.Kind.USAGE, Account.Kind.PROVIDERS]
    paid = spent.filter(credit__kind__in=receivers).aggregate(sum=Sum("amount"))["sum"] or 0
    back = spent.filter(debit__kind__in=receivers).aggregate(sum=Sum("amount"))["sum"] or 0
    return int(paid - back)


def test_the_page_and_the_ledger_agree_to_the_micro_dollar(call: Call) -> None:
    page = call_page(call)
    assert page.corrections == 0
    assert page.total == ledger(call)
    # The platform's share of it is the well-known one.
    assert [(line.label, line.amount) for line in page.charges.platform] == [
        ("Agent time", 600_000),
        ("Telephony", 140_000),
    ]


def test_the_platform_stands_beside_the_providers(
    call: Call, client_for: ClientFactory, viewer: User, workspace: Organization
) -> None:
    text = html(client_for(viewer).get(reverse("call", args=[workspace.slug, call.pk])))
    assert "Platform: agent time" in text
    assert "Platform: telephony" in text
    assert "$0.60" in text
    assert "$0.014" in text
    assert "Language model: text out" in text


def test_a_refund_is_a_line_of_its_own(call: Call, workspace: Organization) -> None:
    spoken_fact = UsageEvent.objects.get(call_id=call.pk, meter="tts_character")
    usage_refund(organization=workspace, event=spoken_fact, amount=5_000, reason="Noise")
    page = call_page(call)
    assert page.corrections == -5_000
    assert page.total == ledger(call)


def test_a_call_that_is_not_metered_yet_shows_what_its_events_say(call_factory: CallFactory) -> None:
    page = call_page(call_factory(services=SERVICES))
    assert (page.total, page.corrections, page.charges.platform) == (0, 0, ())
