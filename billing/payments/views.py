"""The page Billing: the plan, the balance, how it is paid, budgets and invoices. For owners and admins."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django import forms as django_forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.module_loading import import_string
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect

from accounts.access import WorkspaceRequest, may, require_administrator, workspace_view
from accounts.models import Organization, Role
from billing.invoices.services import profile_set
from billing.ledger.models import Transfer
from billing.ledger.selectors import balance
from billing.ledger.services import prepaid_add
from billing.limits.budgets import budget_delete, budget_save
from billing.limits.models import Budget
from billing.limits.room import spent
from billing.payments import forms, selectors, services
from billing.payments import gateway as gateways
from billing.plans.models import Plan
from billing.plans.selectors import entitlements, overage_allowed, subscription_of
from billing.plans.services import subscription_settings
from core.errors import ApiError, ErrorCode
from core.ids import new_id


@never_cache
@require_safe
@workspace_view(Role.ADMIN)
def billing(request: WorkspaceRequest) -> HttpResponse:
    return _page(request)


def _page(request: WorkspaceRequest, *, status: int = 200, **bound: django_forms.Form) -> HttpResponse:
    """The page; `bound` are forms that were sent with mistakes."""
    organization = request.organization
    overview = selectors.overview(organization)
    recharge, profile = selectors.recharge_of(organization), selectors.profile_of(organization)
    subscription, agents = overview.subscription, _agents(request)
    unbound: dict[str, django_forms.Form] = {
        "top_up": forms.TopUpForm(),
        "recharge": forms.RechargeForm(initial=_initial(recharge, "enabled", "threshold", "amount")),
        "usage": _usage_form(organization),
        "profile": forms.ProfileForm(initial=_initial(profile, "name", "email", "address", "country", "tax_id")),
        "budget": forms.BudgetForm(agents=agents),
        "grant": forms.GrantForm(),
        "assign": forms.AssignForm(initial={"plan": subscription.plan_version.plan_id}),
    }
    now = timezone.now()
    context = {
        **_context_of(overview),
        "gateway": gateways.gateway(),
        "card": services.stored_card(organization),
        "recharge_state": recharge,
        "budgets": [
            (each, agents.get(each.target, ""), spent(each, now))
            for each in Budget.objects.filter(organization=organization)
        ],
        "forms": {**unbound, **bound},
        "administers": request.user.is_superuser,
    }
    return render(request, "billing/billing.html", context, status=status)


def _context_of(overview: selectors.Overview) -> dict[str, Any]:
    return {name: getattr(overview, name) for name in overview.__slots__}


def _initial(thing: Any, *names: str) -> dict[str, Any] | None:
    return None if thing is None else {name: getattr(thing, name) for name in names}


# --- the plan ---------------------------------------------------------------------------------------------------------


@never_cache
@require_safe
@workspace_view(Role.ADMIN)
def plan_preview(request: WorkspaceRequest) -> HttpResponse:
    """What changing to `?plan=` means and costs, before one agrees."""
    plan = Plan.objects.filter(pk=request.GET.get("plan", "")).first()
    if plan is None:
        return redirect("billing", workspace=request.organization.slug)
    change = services.change_preview(organization=request.organization, plan=plan)
    context = {
        "change": change,
        "plan": plan,
        "subscription": selectors.overview(request.organization).subscription,
        "gateway": gateways.gateway(),
        "card": services.stored_card(request.organization),
    }
    return render(request, "billing/plan.html", context)


@require_POST
@workspace_view(Role.ADMIN)
def plan_change(request: WorkspaceRequest) -> HttpResponse:
    """Change to `plan`, at the price that was shown for `at`; on to the gateway's page where one pays there."""
    plan = get_object_or_404(Plan, pk=request.POST.get("plan", ""))
    url = services.change_plan(
        organization=request.organization,
        actor=request.user,
        plan=plan,
        at=_moment(request.POST.get("at", "")),
        back=_back(request),
    )
    if not url:
        messages.success(request, f"The change to {plan.name} is made.")
    return HttpResponseClientRedirect(url or reverse("billing", args=[request.organization.slug]))


@require_POST
@workspace_view(Role.ADMIN)
def plan_keep(request: WorkspaceRequest) -> HttpResponse:
    """Take back a change that was set for the end of the period."""
    services.keep_plan(organization=request.organization, actor=request.user)
    messages.success(request, "The plan goes on as it is.")
    return redirect("billing", workspace=request.organization.slug)


# --- money ------------------------------------------------------------------------------------------------------------


@require_POST
@workspace_view(Role.ADMIN)
def top_up(request: WorkspaceRequest) -> HttpResponse:
    form = forms.TopUpForm(request.POST)
    if not form.is_valid():
        return _page(request, status=422, top_up=form)
    amount = form.cleaned_data["amount"]
    return HttpResponseClientRedirect(
        services.top_up_start(organization=request.organization, actor=request.user, amount=amount, back=_back(request))
    )


@require_POST
@workspace_view(Role.ADMIN)
def portal(request: WorkspaceRequest) -> HttpResponse:
    """To the gateway's page with cards and receipts."""
    return HttpResponseClientRedirect(services.portal_open(organization=request.organization, back=_back(request)))


@require_POST
@workspace_view(Role.ADMIN)
def recharge_set(request: WorkspaceRequest) -> HttpResponse:
    form = forms.RechargeForm(request.POST)
    if not form.is_valid():
        return _page(request, status=422, recharge=form)
    services.recharge_set(organization=request.organization, actor=request.user, **form.cleaned_data)
    return _saved(request)


@require_POST
@workspace_view(Role.ADMIN)
def usage_set(request: WorkspaceRequest) -> HttpResponse:
    """What happens when the money is spent."""
    form = _usage_form(request.organization, request.POST)
    if not form.is_valid():
        return _page(request, status=422, usage=form)
    subscription_settings(organization=request.organization, actor=request.user, **form.cleaned_data)
    return _saved(request)


def _usage_form(organization: Organization, data: QueryDict | None = None) -> forms.UsageForm:
    initial = _initial(subscription_of(organization), "overage", "grace_seconds")
    return forms.UsageForm(data, initial=initial, allowed=overage_allowed(organization))


@require_POST
@workspace_view(Role.ADMIN)
def billing_profile(request: WorkspaceRequest) -> HttpResponse:
    form = forms.ProfileForm(request.POST)
    if not form.is_valid():
        return _page(request, status=422, profile=form)
    profile_set(organization=request.organization, actor=request.user, values=form.cleaned_data)
    return _saved(request)


@never_cache
@require_safe
@workspace_view()
def billing_balance(request: WorkspaceRequest) -> HttpResponse:
    """What is left, for the sidebar. Empty where nothing limits it, and for those who do not look after the money."""
    shown = may(request.role, Role.ADMIN) and not entitlements(request.organization).without_limit
    money = balance(request.organization) if shown else None
    return render(request, "billing/_balance.html", {"money": money})


# --- budgets ----------------------------------------------------------------------------------------------------------


@require_POST
@workspace_view(Role.ADMIN)
def budget_add(request: WorkspaceRequest) -> HttpResponse:
    form = forms.BudgetForm(request.POST, agents=_agents(request))
    if not form.is_valid():
        return _page(request, status=422, budget=form)
    budget = budget_save(organization=request.organization, actor=request.user, values=form.values, budget=None)
    if budget.webhook_secret:
        message = f"The webhook's messages are signed with {budget.webhook_secret}. Copy it now: it is not shown again."
        messages.info(request, message)
    return _saved(request)


@require_POST
@workspace_view(Role.ADMIN)
def budget_remove(request: WorkspaceRequest, budget_id: str) -> HttpResponse:
    budget = get_object_or_404(Budget, organization=request.organization, pk=budget_id)
    budget_delete(budget=budget, actor=request.user)
    return _saved(request)


# --- administration ---------------------------------------------------------------------------------------------------


@require_POST
@workspace_view(Role.ADMIN)
def grant(request: WorkspaceRequest) -> HttpResponse:
    """An administrator gives money."""
    require_administrator(request.user)
    form = forms.GrantForm(request.POST)
    if not form.is_valid():
        return _page(request, status=422, grant=form)
    prepaid_add(
        organization=request.organization,
        actor=request.user,
        key=new_id("grant"),
        kind=Transfer.Kind.ADJUSTMENT,
        **form.cleaned_data,
    )
    return _saved(request)


@require_POST
@workspace_view(Role.ADMIN)
def plan_assign(request: WorkspaceRequest) -> HttpResponse:
    """An administrator chooses the plan."""
    require_administrator(request.user)
    form = forms.AssignForm(request.POST)
    if not form.is_valid():
        return _page(request, status=422, assign=form)
    services.plan_assign(organization=request.organization, actor=request.user, plan=form.cleaned_data["plan"])
    return _saved(request)


def _saved(request: WorkspaceRequest) -> HttpResponse:
    messages.success(request, "Saved.")
    return redirect("billing", workspace=request.organization.slug)


def _agents(request: WorkspaceRequest) -> Mapping[str, str]:
    """The names of the workspace's agents by their ids."""
    names: Mapping[str, str] = import_string(settings.BILLED_AGENTS)(request.organization)
    return names


def _back(request: WorkspaceRequest) -> str:
    return request.build_absolute_uri(reverse("billing", args=[request.organization.slug]))


def _moment(seconds: str) -> datetime | None:
    """The moment that a form carries along; None where it has none."""
    if not seconds:
        return None
    try:
        return datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        raise ApiError(ErrorCode.VALIDATION_FAILED, "No such moment", "Load the page again.") from None
