"""Below /w/<workspace>/."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from billing.invoices import views as invoices
from billing.payments import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("billing/", views.billing, name="billing"),
    path("billing/balance/", views.billing_balance, name="billing_balance"),
    path("billing/plan/", views.plan_preview, name="plan_preview"),
    path("billing/plan/change/", views.plan_change, name="plan_change"),
    path("billing/plan/keep/", views.plan_keep, name="plan_keep"),
    path("billing/plan/assign/", views.plan_assign, name="plan_assign"),
    path("billing/top-up/", views.top_up, name="top_up"),
    path("billing/portal/", views.portal, name="portal"),
    path("billing/recharge/", views.recharge_set, name="recharge_set"),
    path("billing/usage/", views.usage_set, name="usage_set"),
    path("billing/profile/", views.billing_profile, name="billing_profile"),
    path("billing/grant/", views.grant, name="grant"),
    path("billing/budgets/", views.budget_add, name="budget_add"),
    path("billing/budgets/<str:budget_id>/delete/", views.budget_remove, name="budget_remove"),
    path("billing/invoices/<str:invoice_id>/", invoices.invoice, name="invoice"),
    path("billing/invoices/<str:invoice_id>/pdf/", invoices.invoice_pdf, name="invoice_pdf"),
    path("billing/invoices/<str:invoice_id>/paid/", invoices.invoice_paid, name="invoice_paid"),
    path("billing/invoices/<str:invoice_id>/cancel/", invoices.invoice_cancel, name="invoice_cancel"),
]
