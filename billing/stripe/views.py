"""The door for Stripe's messages."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST


@csrf_exempt
@require_POST
def webhook(request: HttpRequest) -> HttpResponse:
    """Signed by Stripe, or refused. 200 once it is handled; on any error Stripe sends it again, for three days."""
    if not settings.STRIPE_SECRET_KEY:
        raise Http404("Stripe is not set up")
    from billing.stripe import webhooks  # needs the extra

    webhooks.receive(request.body, request.headers.get("Stripe-Signature", ""))
    return HttpResponse(status=200)
