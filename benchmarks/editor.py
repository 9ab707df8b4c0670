"""How long the server takes for the pages of a large agent: `python -m benchmarks.editor`.

An agent with 200 steps in a workspace with 100 tools, all of them the agent's own, and 1,000 documents in 20 folders,
in a SQLite database that is thrown away. Measured is a request through the whole of Django, without the network. What
it takes of the processor depends less on what else the machine does.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--tools", type=int, default=100)
    parser.add_argument("--documents", type=int, default=1_000)
    parser.add_argument("--requests", type=int, default=30)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="callwright-bench-") as home:
        os.environ |= {"CALLWRIGHT_HOME": home, "DJANGO_SETTINGS_MODULE": "config.settings", "LLM": "none"}
        os.environ.pop("DATABASE_URL", None)
        measure(options)


def measure(options: argparse.Namespace) -> None:
    """Fill a new installation, ask for each page, and print what that took."""
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    call_command("collectstatic", verbosity=0, interactive=False)
    from django.test import Client

    agent, user = fill(options.steps, options.tools, options.documents)
    client = Client(headers={"Accept": "text/html"}, SERVER_NAME="localhost")
    client.force_login(user)
    page = agent.get_absolute_url()
    print(f"{options.steps} steps, {options.tools} tools, {options.documents:,} documents; {options.requests} requests")
    for name, path in [
        ("Guide", ""),
        ("Flow", "flow/"),
        ("YAML", "yaml/"),
        ("the draft", "draft/"),
        ("versions", "versions/"),
    ]:
        report(name, options.requests, partial(client.get, page + path))
    report("saving a step", options.requests, Saving(client, page))


class Saving:
    """Saves the draft with one step changed, each time otherwise."""

    def __init__(self, client: Any, page: str) -> None:
        self.client, self.page, self.count = client, page, 0
        told = client.get(f"{page}draft/").json()
        self.config, self.revision = told["config"], told["revision"]

    def __call__(self) -> Any:
        self.count += 1
        self.config["flow"]["steps"][7]["name"] = f"Renamed {self.count}"
        text = json.dumps(self.config)
        answer = self.client.post(f"{self.page}draft/config/", {"text": text, "revision": self.revision})
        self.revision = answer.json()["revision"]
        return answer


def report(name: str, requests: int, ask: Callable[[], Any]) -> None:
    times, computed = [], []
    for _ in range(requests + 1):
        started, had_computed = time.perf_counter(), time.process_time()
        answer = ask()
        times.append(1000 * (time.perf_counter() - started))
        computed.append(1000 * (time.process_time() - had_computed))
        if answer.status_code != 200:
            raise RuntimeError(f"{name} answered {answer.status_code}.")
    times, computed = times[1:], computed[1:]  # the first one reads the templates
    size = len(answer.content) / 1000
    middle, slow, busy = statistics.median(times), np.percentile(times, 95), statistics.median(computed)
    print(
        f"{name:14} median {middle:4.0f} ms ({busy:4.0f} of the processor), 95 % within {slow:4.0f} ms, {size:4.0f} kB"
    )


def fill(steps: int, tools: int, documents: int) -> tuple[Any, Any]:
    """A workspace so large. Gives the agent and its owner."""
    from django.utils import timezone

    from accounts.models import Membership, Organization, Role, User
    from builder import services
    from builder.config import AgentConfig
    from builder.knowledge.models import Document, KnowledgeFolder
    from builder.models import Agent, Tool

    now = timezone.now()
    user = User.objects.create_user("bench@example.org")
    organization = Organization.objects.create(name="Bench", slug="bench")
    Membership.objects.create(user=user, organization=organization, role=Role.OWNER)
    made = Tool.objects.bulk_create(
        Tool(organization=organization, kind="client", name=f"tool_{number}", config={}) for number in range(tools)
    )
    folders = [
        KnowledgeFolder.objects.create(organization=organization, name=f"Folder {number}")
        for number in range(min(20, documents))
    ]
    Document.objects.bulk_create(
        Document(folder=folders[number % len(folders)], name=f"Document {number}", source="text", updated_at=now)
        for number in range(documents)
    )
    config = AgentConfig.model_validate(
        {
            "prompt": "You answer the phone. " * 100,
            "tools": [tool.pk for tool in made[:40]],
            "knowledge": [folder.pk for folder in folders],
            "flow": {"start": "step_0", "steps": [step(number, steps, made) for number in range(steps)]},
        }
    )
    agent = Agent.objects.create(organization=organization, name="Large", draft=AgentConfig().as_json())
    services.agent_save_draft(agent=agent, actor=user, name="Large", config=config, revision=1)
    return Agent.objects.select_related("organization").get(pk=agent.pk), user


def step(number: int, steps: int, tools: list[Any]) -> dict[str, Any]:
    """One of three kinds, which leads on, and back now and then."""
    following = f"step_{number + 1}" if number + 1 < steps else ""
    known = {"id": f"step_{number}", "name": f"Step {number}"}
    if number % 3 == 0:
        routes = [
            {"when": "they want to go on", "to": following},
            {"when": "they are lost", "to": f"step_{number // 2}"},
        ]
        return {**known, "kind": "conversation", "prompt": "Talk about it. " * 20, "routes": routes}
    if number % 3 == 1:
        slots = [{"name": f"field_{number}", "type": "name"}, {"name": f"day_{number}", "type": "date"}]
        return {**known, "kind": "collect", "slots": slots, "next": following}
    return {**known, "kind": "tool", "tool": tools[number % len(tools)].pk if tools else "", "success": following}


if __name__ == "__main__":
    main()
