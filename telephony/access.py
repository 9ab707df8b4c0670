"""The only way in which a view gets a call: 404 unless it is in the reader's own workspace."""

from __future__ import annotations

from django.http import Http404

from accounts.models import Organization
from telephony.models import Call


def get_call(organization: Organization, call_id: str) -> Call:
    call = (
        Call.objects.select_related("agent", "version", "organization", "started_by")
        .filter(organization=organization, pk=call_id)
        .first()
    )
    if call is None:
        raise Http404("No such call.")
    return call
