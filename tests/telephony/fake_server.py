"""The ASGI application on fake models, for tests that start a server of their own and kill it.

python -m tests.telephony.fake_server       prepares an empty installation, prints how to call as its owner
uvicorn tests.telephony.fake_server:application
"""

from __future__ import annotations

import json

from config.asgi import application

__all__ = ["application"]

from telephony import runtime
from tests.telephony.fakes import FakeProviders

ANSWER = "Nine to five. " + "And so on and on. " * 40


def _providers() -> FakeProviders:
    fake = FakeProviders()
    fake.llm.answers = ["Yes.", ANSWER]
    return fake


vars(runtime)["Providers"] = _providers


def prepare() -> dict[str, str]:
    """An owner with an agent: their session, and the agent's socket."""
    from django.core.management import call_command
    from django.test import Client

    from accounts.services import owner_setup
    from builder.models import Agent

    call_command("migrate", verbosity=0)
    user, _ = owner_setup(email="owner@example.org", password="the-owners-password", organization_name="Acme")
    agent = Agent.objects.select_related("organization").get()
    client = Client()
    client.force_login(user)
    socket = f"/ws/w/{agent.organization.slug}/agents/{agent.pk}/test-call/"
    return {"session": client.cookies["sessionid"].value, "socket": socket}


if __name__ == "__main__":
    print(json.dumps(prepare()))  # noqa: T201
