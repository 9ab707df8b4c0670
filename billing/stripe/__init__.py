"""Payments by Stripe: Checkout, Billing Portal, subscriptions with proration, charges to a stored card, webhooks."""
