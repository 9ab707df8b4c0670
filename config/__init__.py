"""The wiring: settings, addresses, ASGI, Celery and `manage.py serve`."""

from __future__ import annotations

from config.celery import app as celery_app

__all__ = ["celery_app"]
