"""An invoice as a page and as PDF. For owners and admins."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.access import WorkspaceRequest, require_administrator, workspace_view
from accounts.models import Role
from billing.invoices import words
from billing.invoices.models import Invoice
from billing.invoices.services import invoice_pay, invoice_void


def _invoice(request: WorkspaceRequest, invoice_id: str) -> Invoice:
    return get_object_or_404(Invoice, organization=request.organization, pk=invoice_id)


@never_cache
@require_safe
@workspace_view(Role.ADMIN)
def invoice(request: WorkspaceRequest, invoice_id: str) -> HttpResponse:
    found = _invoice(request, invoice_id)
    lines = [(line, words.quantity(line), words.line_amount(line)) for line in found.lines.all()]
    context = {"invoice": found, "lines": lines, "administers": request.user.is_superuser}
    return render(request, "billing/invoice.html", context)


@never_cache
@require_safe
@workspace_view(Role.ADMIN)
def invoice_pdf(request: WorkspaceRequest, invoice_id: str) -> HttpResponse:
    from billing.invoices import pdf  # the library takes a while to load, and only this needs it

    found = _invoice(request, invoice_id)
    headers = {"Content-Disposition": f'attachment; filename="{found.label}.pdf"'}
    return HttpResponse(pdf.invoice_pdf(found), content_type="application/pdf", headers=headers)


@require_POST
@workspace_view(Role.ADMIN)
def invoice_paid(request: WorkspaceRequest, invoice_id: str) -> HttpResponse:
    """An administrator has seen the money arrive."""
    found = _invoice(request, invoice_id)
    require_administrator(request.user)
    if invoice_pay(invoice=found, actor=request.user):
        messages.success(request, f"Invoice {found.label} is paid.")
    return redirect("invoice", workspace=request.organization.slug, invoice_id=found.pk)


@require_POST
@workspace_view(Role.ADMIN)
def invoice_cancel(request: WorkspaceRequest, invoice_id: str) -> HttpResponse:
    """An administrator takes an invoice back."""
    found = _invoice(request, invoice_id)
    require_administrator(request.user)
    invoice_void(invoice=found, actor=request.user)
    messages.success(request, f"Invoice {found.label} is cancelled.")
    return redirect("invoice", workspace=request.organization.slug, invoice_id=found.pk)
