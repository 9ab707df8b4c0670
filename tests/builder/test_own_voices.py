"""Voices that a workspace brings: by their ids, and as files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from accounts.models import Organization, User
from builder import engine
from builder.compile import AgentNotReady, compile_config
from builder.config import AgentConfig, VoiceChoice
from builder.models import Agent
from tests.builder.pages import address as page_of
from tests.builder.pages import html, page_data
from tests.conftest import AgentFactory, ClientFactory, ConnectionFactory
from voice.providers.base import ProviderError

pytestmark = pytest.mark.django_db

VECTORS = np.zeros((510, 256), "<f4").tobytes()
CONFIG = {"audio": {"sample_rate": 22_050}, "espeak": {"voice": "es"}, "phoneme_id_map": {"_": [0]}}


@pytest.fixture(autouse=True)
def spoken(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the model process was asked to say: it finds the files, and says a second."""
    settings.VOICES_DIR = tmp_path / "voices"
    asked: list[dict[str, Any]] = []

    def speak(text: str, *, voice: str, **how: Any) -> bytes:
        assert list((tmp_path / "voices").glob(f"{voice}.*")), "the files are there when it is asked"
        asked.append({"text": text, "voice": voice, **how})
        return bytes(32_000)

    monkeypatch.setattr(engine, "speak", speak)
    return asked


def address(name: str, workspace: Organization, **more: Any) -> str:
    return reverse(name, kwargs={"workspace": workspace.slug, **more})


@pytest.fixture
def upload(client_for: ClientFactory, admin: User, workspace: Organization) -> Any:
    def send(data: bytes = VECTORS, *, kind: str = "kokoro", config: bytes | None = None, name: str = "Ana") -> Any:
        posted: dict[str, Any] = {"kind": kind, "name": name, "file": SimpleUploadedFile("v", data)}
        if config is not None:
            posted["config"] = SimpleUploadedFile("v.json", config)
        return client_for(admin).post(address("voice_bring", workspace), posted)

    return send


def stored(settings: Any) -> list[str]:
    folder = Path(settings.VOICES_DIR)
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_a_kokoro_voice_is_tried_and_kept(
    upload: Any, workspace: Organization, settings: Any, spoken: list[dict[str, Any]]
) -> None:
    assert upload().status_code == 302
    voice = workspace.voice_files.get()
    assert (voice.name, voice.kind, voice.size) == ("Ana", "kokoro", len(VECTORS))
    assert stored(settings) == [f"{voice.pk}.bin"]
    assert (spoken[0]["voice"], spoken[0]["language"]) == (voice.pk, "en")


def test_a_piper_voice_is_tried_in_its_own_language(
    upload: Any, workspace: Organization, settings: Any, spoken: list[dict[str, Any]]
) -> None:
    assert upload(bytes(200_000), kind="piper", config=json.dumps(CONFIG).encode()).status_code == 302
    voice = workspace.voice_files.get()
    assert (voice.language, stored(settings)) == ("es", [f"{voice.pk}.onnx", f"{voice.pk}.onnx.json"])
    assert (spoken[0]["text"], spoken[0]["language"]) == ("Hola, así sueno.", "es")


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        ({"data": b""}, "0 bytes is too small"),
        ({"data": b"x" * 5_000_000}, "too large"),
        ({"data": VECTORS[:-7]}, "rows of 256 numbers"),
        ({"kind": "piper", "data": bytes(200_000)}, "comes with a JSON file"),
        ({"kind": "piper", "data": bytes(200_000), "config": b"{"}, "cannot be read as JSON"),
        ({"kind": "piper", "data": bytes(200_000), "config": b"[" * 100_000}, "cannot be read as JSON"),
        ({"kind": "piper", "data": bytes(200_000), "config": b"{}"}, "no phoneme_id_map"),
        ({"kind": "piper", "data": b"tiny", "config": json.dumps(CONFIG).encode()}, "too small"),
    ],
)
def test_files_that_are_no_voice_are_told_why(
    upload: Any, workspace: Organization, settings: Any, sent: dict[str, Any], message: str
) -> None:
    response = upload(**sent)
    assert response.status_code == 422
    assert message in html(response)
    assert (stored(settings), workspace.voice_files.count()) == ([], 0)


@pytest.mark.parametrize(
    ("failure", "message"),
    [
        (ProviderError("local", "The file is no ONNX model that can be run here."), "no ONNX model"),
        (b"", "makes no sound"),
    ],
)
def test_a_voice_that_does_not_speak_is_not_kept(
    upload: Any, workspace: Organization, settings: Any, monkeypatch: pytest.MonkeyPatch, failure: Any, message: str
) -> None:
    def speak(text: str, **how: Any) -> bytes:
        if isinstance(failure, ProviderError):
            raise failure
        return bytes(failure)

    monkeypatch.setattr(engine, "speak", speak)
    assert message in html(upload())
    assert (stored(settings), workspace.voice_files.count()) == ([], 0)


def test_it_is_in_the_library_and_speaks_for_an_agent(
    upload: Any,
    client_for: ClientFactory,
    member: User,
    workspace: Organization,
    agent_factory: AgentFactory,
    spoken: list[dict[str, Any]],
) -> None:
    upload()
    voice = workspace.voice_files.get()
    client, agent = client_for(member), agent_factory()
    assert "Ana" in html(client.get(address("voices", workspace), {"q": "your own"}))
    words = {"text": "Good day.", "connection": "local", "voice": voice.pk, "speed": "1"}
    assert client.post(address("voice_preview", workspace), words)["Content-Type"] == "audio/wav"
    saved = client.post(page_of("agent_save", agent), page_data(agent, voice=voice.pk))
    assert saved.status_code == 200, saved.content
    agent.refresh_from_db()
    service, chosen = compile_config(agent, agent.draft_config).voices[0]
    assert (service.access, chosen.id) == (None, voice.pk)
    assert "Ana" in html(client.get(page_of("agent", agent)))


def test_another_workspace_does_not_speak_with_it(
    upload: Any, workspace: Organization, other_workspace: Organization, agent_factory: AgentFactory
) -> None:
    upload()
    config = AgentConfig(voice=VoiceChoice(id=workspace.voice_files.get().pk))
    thief = agent_factory(organization=other_workspace, config=config)
    with pytest.raises(AgentNotReady, match="voice of this agent was deleted"):
        compile_config(thief, config)


@pytest.mark.parametrize("by", ["agent", "fallback", "language", "step"])
def test_one_that_an_agent_speaks_with_cannot_be_deleted(
    by: str,
    upload: Any,
    client_for: ClientFactory,
    admin: User,
    workspace: Organization,
    agent_factory: AgentFactory,
    settings: Any,
    django_capture_on_commit_callbacks: Any,
) -> None:
    upload()
    voice = workspace.voice_files.get()
    speaking: dict[str, dict[str, Any]] = {
        "agent": {"voice": {"id": voice.pk}},
        "fallback": {"voice": {"fallbacks": [{"id": voice.pk}]}},
        "language": {"languages": [{"language": "es", "voice": voice.pk}]},
        "step": {"flow": {"steps": [{"kind": "conversation", "id": "talk", "voice": voice.pk}]}},
    }
    agent = agent_factory("Reception", config=AgentConfig.model_validate(speaking[by]))
    client, url = client_for(admin), address("voice_file_delete", workspace, voice_id=voice.pk)
    assert "Reception" in html(client.post(url))
    assert stored(settings)
    Agent.objects.filter(pk=agent.pk).delete()
    with django_capture_on_commit_callbacks(execute=True):
        assert client.post(url).status_code == 302
    assert (stored(settings), workspace.voice_files.count()) == ([], 0)


def test_members_do_not_upload_programs(client_for: ClientFactory, member: User, workspace: Organization) -> None:
    client = client_for(member)
    assert "Upload and try" not in html(client.get(address("voice_bring", workspace)))
    assert client.post(address("voice_bring", workspace), {}).status_code == 403


def test_a_voice_of_a_connection_is_added_by_its_id(
    client_for: ClientFactory,
    member: User,
    workspace: Organization,
    connection_factory: ConnectionFactory,
    agent_factory: AgentFactory,
) -> None:
    made = connection_factory("Eleven", vendor="elevenlabs", base_url="")
    client = client_for(member)
    voice = {"connection": made.pk, "voice": "my-clone", "label": "Me", "language": "de", "gender": "male"}
    assert client.post(address("voice_add", workspace), voice).status_code == 302
    listed = client.get(address("voices", workspace), {"language": "de"}).context["voices"]
    assert [(each.id, each.label, each.source) for each in listed] == [("my-clone", "Me", made.pk)]
    agent = agent_factory()
    client.post(address("voice_use", workspace), {"connection": made.pk, "voice": "my-clone", "agent": agent.pk})
    agent.refresh_from_db()
    assert (agent.draft_config.voice.connection, agent.draft_config.voice.id) == (made.pk, "my-clone")
    added = workspace.added_voices.get()
    client.post(address("voice_remove", workspace, added_id=added.pk))
    assert not workspace.added_voices.exists()


def test_an_id_at_a_foreign_connection_is_not_added(
    client_for: ClientFactory,
    member: User,
    workspace: Organization,
    other_workspace: Organization,
    connection_factory: ConnectionFactory,
) -> None:
    foreign = connection_factory("Eleven", organization=other_workspace, vendor="elevenlabs", base_url="")
    voice = {"connection": foreign.pk, "voice": "v", "language": "en"}
    assert client_for(member).post(address("voice_add", workspace), voice).status_code == 422
