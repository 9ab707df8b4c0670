"""How a workspace pays: subscriptions, top-ups, automatic recharge and what happens when a payment fails.

Nothing here knows a vendor: `gateway.py` says what one must do, and `billing.stripe` does it. Without a gateway
everything works with invoices that are paid by hand and with grants by an administrator.
"""
