"""What every process of the benchmark needs, imported once: they are forked from one that has it.

A process that was killed is replaced at once then, also on a machine that is busy with other work; and none of them is
busy with imports while it holds calls, which a server is not either.
"""

from __future__ import annotations

import django

django.setup()

from django.urls import reverse  # noqa: E402

from benchmarks.chaos import players  # noqa: E402, F401
from billing import tasks as billing_tasks  # noqa: E402, F401
from telephony import runtime, tasks  # noqa: E402, F401
from tests.telephony import fakes  # noqa: E402, F401

reverse("home")  # loads every page's address
