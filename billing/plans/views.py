"""The plans of the installation, for whoever runs it."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import User
from billing.plans import services
from billing.plans.forms import PlanVersionForm
from billing.plans.models import Plan
from billing.plans.selectors import current_version


def staff_view(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A view for those who run the installation; to everybody else there is no such page."""

    @login_required
    @wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not cast("User", request.user).is_staff:
            raise Http404("There is no such page.")
        return view(request, *args, **kwargs)

    return wrapper


@never_cache
@require_safe
@staff_view
def plans(request: HttpRequest) -> HttpResponse:
    """Every plan as it is now."""
    return render(request, "billing/plans.html", {"plans": [current_version(plan.pk) for plan in Plan.objects.all()]})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@staff_view
def plan(request: HttpRequest, plan_id: str) -> HttpResponse:
    """A plan's versions, and the form of the next one."""
    found = get_object_or_404(Plan, pk=plan_id)
    versions = list(found.versions.order_by("-number"))
    form = PlanVersionForm(versions[0], request.POST or None)
    if request.method == "POST" and form.is_valid():
        services.plan_version_create(
            plan=found,
            actor=cast("User", request.user),
            effective_from=form.cleaned_data["effective_from"],
            values=form.values,
        )
        messages.success(request, f"Saved. It is what {found} costs and allows from then on.")
        return redirect("plans")
    context = {"plan": found, "versions": versions, "form": form}
    return render(request, "billing/plan_versions.html", context, status=422 if form.is_bound else 200)
