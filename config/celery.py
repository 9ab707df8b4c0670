"""The Celery application: `celery -A config worker`."""

from __future__ import annotations

import os
import warnings

from celery import Celery
from celery.platforms import SecurityWarning

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

# Tasks are JSON and run no code that a message brings, so a worker that root started is no worse than its web server.
warnings.filterwarnings("ignore", category=SecurityWarning)

app = Celery("callwright")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.autodiscover_tasks(["builder.knowledge", "billing.payments"])
