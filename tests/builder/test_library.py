"""The library of voices."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from accounts.models import Organization, User
from builder import engine
from builder.vendors import Access
from tests.builder.pages import html
from tests.conftest import AgentFactory, ClientFactory, ConnectionFactory
from voice.providers.base import ProviderError
from voice.providers.local import manifest
from voice.providers.local.tts import PIPER_VOICE
from voice.providers.vendor import VoiceChoice

pytestmark = pytest.mark.django_db


@pytest.fixture
def vendor_voices(monkeypatch: pytest.MonkeyPatch) -> list[VoiceChoice]:
    """What the vendor lists."""
    listed = [
        VoiceChoice(id="v/1", label="Amélie", language="fr", gender="female", styles=("deep", "narration")),
        VoiceChoice(id="v2", label="Bruno", language="de", gender="male"),
    ]

    async def voices(access: Access) -> list[VoiceChoice]:
        return listed

    monkeypatch.setattr(engine, "voices", voices)
    return listed


def page(name: str, workspace: Organization, **more: str) -> str:
    return reverse(name, kwargs={"workspace": workspace.slug, **more})


def listed(response: Any) -> set[str]:
    return {voice.id for voice in response.context["voices"]}


def test_it_lists_every_voice_on_this_machine(client_for: ClientFactory, viewer: User, workspace: Organization) -> None:
    found = listed(client_for(viewer).get(page("voices", workspace)))
    assert found == {*manifest.VOICES, PIPER_VOICE}


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"q": "heart"}, {"af_heart"}),
        ({"q": "storyteller british", "gender": "male"}, set()),
        ({"q": "STORYTELLER"}, {"bm_fable"}),
        ({"language": "en-GB", "gender": "female"}, {"bf_alice", "bf_emma", "bf_isabella", "bf_lily"}),
        ({"favourites": "yes"}, set()),
        ({"source": "nowhere", "q": "heart"}, {"af_heart"}),
    ],
)
def test_it_is_filtered(
    client_for: ClientFactory, viewer: User, workspace: Organization, wanted: dict[str, str], found: set[str]
) -> None:
    assert listed(client_for(viewer).get(page("voices", workspace), wanted)) == found


def test_a_style_is_chosen_together_with_a_gender(
    client_for: ClientFactory, viewer: User, workspace: Organization
) -> None:
    client = client_for(viewer)
    response = client.get(page("voices", workspace), {"gender": "female", "style": "deep"})
    found = response.context["voices"]
    assert found
    assert all(voice.gender == "female" and "deep" in voice.styles for voice in found)
    assert listed(client.get(page("voices", workspace), {"q": "deep female"})) >= {voice.id for voice in found}
    nonsense = listed(client.get(page("voices", workspace), {"style": "purple"}))
    assert nonsense == listed(client.get(page("voices", workspace)))


def test_htmx_gets_the_results_alone(client_for: ClientFactory, viewer: User, workspace: Organization) -> None:
    results = html(client_for(viewer, htmx=True).get(page("voices", workspace), {"q": "heart"}))
    assert results.startswith('<div id="results"')
    assert "Heart" in results
    assert "Bella" not in results


def test_the_voices_of_an_account_are_asked_for_by_a_button(
    client_for: ClientFactory,
    member: User,
    workspace: Organization,
    connection_factory: ConnectionFactory,
    vendor_voices: list[VoiceChoice],
) -> None:
    made = connection_factory("Eleven", vendor="elevenlabs", base_url="")
    client = client_for(member)
    before = client.get(page("voices", workspace), {"source": made.pk})
    assert "Get them all" in html(before)
    assert "v2" not in listed(before)
    client.post(page("voices_fetch", workspace, connection_id=made.pk))
    after = client.get(page("voices", workspace), {"source": made.pk})
    assert listed(after) == {"v/1", "v2"}
    assert "Get them all" not in html(after)
    assert listed(client.get(page("voices", workspace), {"language": "fr"})) == {"v/1", "ff_siwis"}
    assert listed(client.get(page("voices", workspace), {"style": "narration"})) == {"v/1"}
    deep = listed(client.get(page("voices", workspace), {"style": "deep"}))
    assert deep > {"v/1"}  # with those on this machine


def test_a_vendor_that_does_not_answer_is_said(
    client_for: ClientFactory,
    member: User,
    workspace: Organization,
    connection_factory: ConnectionFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def voices(access: Access) -> list[VoiceChoice]:
        raise ProviderError("Eleven", "The key is wrong.")

    monkeypatch.setattr(engine, "voices", voices)
    made = connection_factory("Eleven", vendor="elevenlabs", base_url="")
    response = client_for(member).post(page("voices_fetch", workspace, connection_id=made.pk), follow=True)
    assert "The key is wrong." in html(response)


def test_favourites_stand_first_for_everybody(
    client_for: ClientFactory, member: User, viewer: User, workspace: Organization
) -> None:
    voice = {"connection": "local", "voice": "bm_lewis"}
    client = client_for(member, htmx=True)
    assert 'aria-pressed="true"' in html(client.post(page("voice_favourite", workspace), voice))
    response = client_for(viewer).get(page("voices", workspace))
    assert response.context["voices"][0].id == "bm_lewis"
    assert 'aria-pressed="false"' in html(client.post(page("voice_favourite", workspace), voice))
    assert not workspace.favourite_voices.exists()


@pytest.mark.parametrize(
    "voice", [{"connection": "local", "voice": "nobody"}, {}, {"connection": "conn_x", "voice": "v"}]
)
def test_only_voices_that_there_are_are_marked(
    client_for: ClientFactory, member: User, workspace: Organization, voice: dict[str, str]
) -> None:
    assert client_for(member).post(page("voice_favourite", workspace), voice).status_code == 422
    assert not workspace.favourite_voices.exists()


def test_a_voice_is_given_to_the_draft_of_an_agent(
    client_for: ClientFactory, member: User, workspace: Organization, agent_factory: AgentFactory
) -> None:
    agent = agent_factory()
    voice = {"connection": "local", "voice": "bf_emma"}
    client = client_for(member)
    assert "Emma" in html(client.get(page("voice_use", workspace), voice))
    response = client.post(page("voice_use", workspace), voice | {"agent": agent.pk})
    assert response["Location"] == agent.get_absolute_url()
    agent.refresh_from_db()
    assert agent.draft_config.voice.id == "bf_emma"
    assert agent.draft_revision == 2


def test_a_voice_of_another_connection_leaves_the_model_to_it(
    client_for: ClientFactory,
    member: User,
    workspace: Organization,
    agent_factory: AgentFactory,
    connection_factory: ConnectionFactory,
    vendor_voices: list[VoiceChoice],
) -> None:
    made = connection_factory("Eleven", vendor="elevenlabs", base_url="")
    agent = agent_factory()
    client = client_for(member)
    client.post(page("voices_fetch", workspace, connection_id=made.pk))
    client.post(page("voice_use", workspace), {"connection": made.pk, "voice": "v/1", "agent": agent.pk})
    agent.refresh_from_db()
    voice = agent.draft_config.voice
    assert (voice.connection, voice.id, voice.model, voice.speed) == (made.pk, "v/1", "", 1.0)


def test_an_agent_of_another_workspace_gets_no_voice(
    client_for: ClientFactory,
    member: User,
    workspace: Organization,
    agent_factory: AgentFactory,
    other_workspace: Organization,
) -> None:
    foreign = agent_factory(organization=other_workspace)
    voice = {"connection": "local", "voice": "bf_emma", "agent": foreign.pk}
    assert client_for(member).post(page("voice_use", workspace), voice).status_code == 422
    foreign.refresh_from_db()
    assert foreign.draft_revision == 1


def test_a_viewer_reads_only(client_for: ClientFactory, viewer: User, workspace: Organization) -> None:
    client = client_for(viewer)
    assert "Use on agent" not in html(client.get(page("voices", workspace)))
    voice = {"connection": "local", "voice": "bf_emma"}
    assert client.post(page("voice_favourite", workspace), voice).status_code == 403
    assert client.post(page("voice_preview", workspace), voice).status_code == 403


def test_any_words_are_heard_in_any_voice(
    client_for: ClientFactory, member: User, workspace: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[Any] = []

    def speak(text: str, *, voice: str, speed: float, **options: Any) -> bytes:
        heard.append((text, voice, speed))
        return bytes(320)

    monkeypatch.setattr(engine, "speak", speak)
    words = {"text": "Good day.", "connection": "local", "voice": "am_santa", "speed": "1.2"}
    assert client_for(member).post(page("voice_preview", workspace), words)["Content-Type"] == "audio/wav"
    assert heard == [("Good day.", "am_santa", 1.2)]
