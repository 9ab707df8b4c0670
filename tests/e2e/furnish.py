"""Furnishes an installation with a workspace of two people and its agents, in the environment of that installation.

    python -m tests.e2e.furnish <base URL of a model>

writes the paths of the agents' pages, by their names, as JSON.
"""

from __future__ import annotations

import json
import os
import sys

PASSWORD = "a-long-and-odd-password"
PEOPLE = {"ada@example.org": "Ada Archer", "bo@example.org": "Bo Baker"}
STEPS = {
    "steps": [
        {"kind": "say", "id": "greet", "say": "Welcome to the market!", "next": "ask"},
        {
            "kind": "collect",
            "id": "ask",
            "slots": [{"name": "new_here", "type": "yes_no", "question": "Is it your first time here?"}],
            "next": "talk",
        },
        {"kind": "conversation", "id": "talk", "routes": [{"when": "they want a stall", "to": "bye"}]},
        {"kind": "end", "id": "bye", "name": "Goodbye", "say": "We will call you back about it. Goodbye!"},
    ],
}


def furnish(model_url: str) -> dict[str, str]:
    import django

    django.setup()
    from accounts.models import Membership, Organization, Role, User
    from builder.config import AgentConfig
    from builder.models import Agent, ModelConnection

    workspace = Organization.objects.create(name="Market", slug="market")
    for email, name in PEOPLE.items():
        user = User.objects.create_user(email, PASSWORD, name=name)
        Membership.objects.create(user=user, organization=workspace, role=Role.MEMBER)
    model = ModelConnection.objects.create(
        organization=workspace, name="Rule book", vendor="compatible", base_url=model_url, default_model="rule-book"
    )
    # Piper's voice asks least of the machine.
    chosen = {"model": {"connection": model.pk, "name": "rule-book"}, "voice": {"id": "joe"}}
    configs = {
        "Basil": AgentConfig(prompt="Answer for the herb market.", greeting="Hello, this is Basil.", **chosen),
        "Billing": AgentConfig(prompt="Talk about invoices.", greeting="Hello, this is Billing.", **chosen),
        "Stalls": AgentConfig(greeting="", flow=STEPS, **chosen),
    }
    agents = [
        Agent.objects.create(organization=workspace, name=name, draft=config.as_json())
        for name, config in configs.items()
    ]
    return {agent.name: agent.get_absolute_url() for agent in agents}


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    sys.stdout.write(json.dumps(furnish(sys.argv[1])))
