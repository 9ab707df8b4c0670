"""What an answer is expected to take, and a minute to cost."""

from __future__ import annotations

import itertools
import re

import pytest
from django.utils import timezone

from accounts.models import Organization, User
from builder.config import AgentConfig, HearingChoice, ModelChoice, VoiceChoice
from builder.measures.models import ServiceMeasure
from telephony.estimates import Estimate, Part, estimate
from tests.builder.pages import address, html
from tests.conftest import AgentFactory, ClientFactory, ConnectionFactory
from voice.spec import TurnTaking

pytestmark = pytest.mark.django_db
ROLES = ("stt", "answers", "tts")


def part(found: Estimate, key: str) -> Part:
    return next(each for each in found.parts if each.key == key)


def test_what_runs_here_costs_nothing_and_takes_what_is_usual(agent_factory: AgentFactory) -> None:
    found = estimate(agent_factory(config=AgentConfig(turns=TurnTaking(finished_silence=0.5))))
    assert (found.micro, found.unpriced, found.unmeasured) == (0, [], [])
    assert part(found, "turn").waited_ms == 560
    assert part(found, "llm").basis == "usual on two cores"
    assert found.waited_ms == sum(each.waited_ms or 0 for each in found.parts)


def test_what_calls_have_measured_comes_before_what_is_usual(
    agent_factory: AgentFactory, connection_factory: ConnectionFactory, workspace: Organization
) -> None:
    made = connection_factory("Sonic", vendor="cartesia", base_url="")
    agent = agent_factory(config=AgentConfig(voice=VoiceChoice(connection=made.pk, id="v")))
    voice = part(estimate(agent), "tts")
    assert (voice.waited_ms, voice.basis) == (None, "no call has used it yet")
    for number, (waited, characters) in enumerate([(180, 100), (220, 300), (200, 200)]):
        ServiceMeasure.objects.create(
            organization=workspace,
            call_id=f"call_{number}",
            role="tts",
            vendor="cartesia",
            model="sonic-3.6",
            ended_at=timezone.now(),
            call_seconds=60,
            waited_ms=waited,
            quantities={"tts_character": characters},
        )
    voice = part(estimate(agent), "tts")
    assert (voice.waited_ms, voice.basis) == (200, "median of 3 calls")
    workspace.provider_prices.create(
        vendor="cartesia",
        model="sonic-3.6",
        unit="tts_character",
        micro_per_million=50_000_000,
        effective_from=timezone.now(),
    )
    assert part(estimate(agent), "tts").micro == 10_000, "two hundred characters a minute, at $0.05 for a thousand"


def test_a_longer_prompt_costs_more_where_it_is_paid_for(
    agent_factory: AgentFactory, connection_factory: ConnectionFactory
) -> None:
    made = connection_factory("OpenAI", vendor="openai", base_url="", default_model="")

    def cost(prompt: str) -> int:
        model = ModelChoice(connection=made.pk, name="gpt-4.1-mini")
        found = part(estimate(agent_factory(config=AgentConfig(prompt=prompt, model=model))), "llm").micro
        assert found is not None
        return found

    assert cost("word " * 2000) > 2 * cost("Be kind.") > 0


def test_what_has_no_price_is_left_out_of_the_sum_and_said(
    agent_factory: AgentFactory, connection_factory: ConnectionFactory
) -> None:
    made = connection_factory("Mine")
    found = estimate(agent_factory(config=AgentConfig(hearing=HearingChoice(connection=made.pk, model="whatever"))))
    assert found.unpriced == ["Recognition"]


def test_the_bars_are_filled_from_end_to_end(agent_factory: AgentFactory) -> None:
    bar = estimate(agent_factory()).time_bar
    assert bar[0].x == 0
    assert all(before.x + before.width == after.x for before, after in itertools.pairwise(bar))
    assert bar[-1].x + bar[-1].width == 1000
    assert estimate(agent_factory()).cost_bar == []


def test_it_stands_beside_each_choice_of_a_service_and_says_whether_it_was_measured(
    client_for: ClientFactory, member: User, agent_factory: AgentFactory, connection_factory: ConnectionFactory
) -> None:
    made = connection_factory("OpenAI", vendor="openai", base_url="")
    agent = agent_factory(config=AgentConfig(model=ModelChoice(connection=made.pk, name="gpt-4.1-mini")))
    ServiceMeasure.objects.create(
        organization=agent.organization,
        call_id="call_1",
        role="tts",
        vendor="local",
        ended_at=timezone.now(),
        call_seconds=60,
        waited_ms=612,
    )
    page = html(client_for(member).get(address("agent_estimate", agent)))
    beside = {role: page.partition(f'id="estimate-beside-{role}"')[2].partition("</p>")[0] for role in ROLES}
    assert "~0.15 s · $0.00/min, expected" in beside["stt"]
    assert re.search(r"Time not known · \$0\.00\d+/min, expected", beside["answers"])
    assert "~0.61 s · $0.00/min, measured here" in beside["tts"]
    guide = html(client_for(member).get(agent.get_absolute_url()))
    assert all(f'id="estimate-beside-{role}"' in guide for role in ROLES), "where they are put in"


def test_beside_a_model_that_hears_and_speaks_the_others_are_not_asked(
    agent_factory: AgentFactory, connection_factory: ConnectionFactory
) -> None:
    made = connection_factory("OpenAI", vendor="openai", base_url="")
    model = ModelChoice(connection=made.pk, name="gpt-realtime-2.1")
    beside = estimate(agent_factory(config=AgentConfig(model=model))).beside
    assert (beside["stt"], beside["tts"]) == (None, None)
    assert beside["answers"]
    assert beside["answers"].key == "realtime"


def test_the_page_asks_for_it_and_says_what_is_customised(
    client_for: ClientFactory,
    member: User,
    viewer: User,
    stranger: User,
    agent_factory: AgentFactory,
    connection_factory: ConnectionFactory,
) -> None:
    agent = agent_factory()
    page = html(client_for(member).get(address("agent_estimate", agent)))
    assert "Offline" in page
    assert "Customised" not in page
    model = ModelChoice(connection=connection_factory().pk, name="odd")
    edited = agent_factory(config=AgentConfig(model=model))
    assert "Customised" in html(client_for(member).get(address("agent_estimate", edited)))
    assert "Offline" not in html(client_for(viewer).get(address("agent_estimate", agent)))
    assert client_for(stranger).get(address("agent_estimate", agent)).status_code == 404
