"""The page of prices: what the providers of calls cost."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.access import WorkspaceRequest, may, workspace_view
from accounts.models import Role
from billing import selectors, services
from billing.forms import PriceForm, PriceKeyForm
from core.errors import ApiError, ErrorCode


@never_cache
@require_safe
@workspace_view()
def prices(request: WorkspaceRequest) -> HttpResponse:
    return _page(request, PriceForm())


@require_POST
@workspace_view(Role.ADMIN)
def price_set(request: WorkspaceRequest) -> HttpResponse:
    """Change a price, or add one."""
    form = PriceForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    services.price_set(organization=request.organization, actor=request.user, **form.values)
    messages.success(request, "Saved. Calls that begin from now on are counted with it.")
    return redirect("prices", workspace=request.organization.slug)


@require_POST
@workspace_view(Role.ADMIN)
def price_reset(request: WorkspaceRequest) -> HttpResponse:
    """Back to the list price."""
    form = PriceKeyForm(request.POST)
    if not form.is_valid():
        raise ApiError(ErrorCode.VALIDATION_FAILED, "No such price", "Load the page again.")
    services.price_reset(organization=request.organization, actor=request.user, **form.cleaned_data)
    messages.success(request, "The list price holds again for calls that begin from now on.")
    return redirect("prices", workspace=request.organization.slug)


def _page(request: WorkspaceRequest, form: PriceForm, *, status: int = 200) -> HttpResponse:
    context = {
        "table": selectors.price_table(request.organization),
        "changes": selectors.price_changes(request.organization),
        "form": form,
        "may_edit": may(request.role, Role.ADMIN),
    }
    return render(request, "billing/prices.html", context, status=status)
