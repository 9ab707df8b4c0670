"""Background sounds: those of a workspace's own, and that calls play them."""

from __future__ import annotations

import io
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from accounts.models import Organization, User
from builder.compile import compile_config
from builder.config import AgentConfig
from builder.forms import AgentForm
from builder.sounds import files
from builder.sounds.models import AmbientSound
from tests.builder.pages import html
from tests.conftest import AgentFactory, ClientFactory
from voice.media.ambient import NAMES
from voice.spec import Ambient

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _sounds_dir(settings: Any, tmp_path: Path) -> None:
    settings.SOUNDS_DIR = tmp_path / "sounds"


def audio(
    kind: str = "WAV", seconds: float = 4.0, *, level: float = 0.3, channels: int = 1, rate: int = 22_050
) -> bytes:
    time = np.arange(round(seconds * rate)) / rate
    tone = np.stack([level * np.sin(2 * np.pi * 300 * time)] * channels, axis=1)
    buffer = io.BytesIO()
    soundfile.write(buffer, tone, rate, format=kind)
    return buffer.getvalue()


def address(name: str, workspace: Organization, **more: str) -> str:
    return reverse(name, kwargs={"workspace": workspace.slug, **more})


@pytest.fixture
def upload(client_for: ClientFactory, member: User, workspace: Organization) -> Any:
    def send(data: bytes, *, name: str = "", file: str = "rain_outside.wav") -> Any:
        posted = {"name": name, "file": SimpleUploadedFile(file, data)}
        return client_for(member).post(address("sounds", workspace), posted)

    return send


def test_all_four_places_are_there_and_can_be_heard(
    client_for: ClientFactory, viewer: User, workspace: Organization
) -> None:
    page = html(client_for(viewer).get(address("sounds", workspace)))
    for label in ("Office", "Café", "Street", "Call centre"):
        assert label in page
    response = client_for(viewer).get(address("sound_audio", workspace, sound_id="cafe"))
    with wave.open(io.BytesIO(response.content)) as file:
        assert (file.getframerate(), file.getnframes()) == (16_000, 320_000)


@pytest.mark.parametrize("kind", ["WAV", "MP3", "OGG", "FLAC"])
def test_a_file_becomes_a_loop_that_calls_play(upload: Any, workspace: Organization, kind: str) -> None:
    assert upload(audio(kind), file=f"rain_outside.{kind.lower()}").status_code == 302
    sound = workspace.ambient_sounds.get()
    assert sound.name == "rain outside"
    assert sound.seconds == pytest.approx(3.5, abs=0.15), "half a second of its end is blended into its start"
    loop = files.loop(sound.pk)
    assert loop.frames * 0.02 == pytest.approx(sound.seconds, abs=0.03)
    assert np.max(np.abs(loop.samples)) > 500


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "no audio file that can be read"),
        (b"PK\x03\x04 a zip", "no audio file that can be read"),
        (b"%PDF-1.7", "no audio file that can be read"),
        (audio(seconds=1.0), "must last 2 to 120 seconds"),
        (audio(seconds=130.0, rate=8000), "must last 2 to 120 seconds"),
        (audio(level=0.0), "nothing to hear"),
        (audio(channels=4), "4 channels"),
    ],
)
def test_a_bad_file_is_told_what_is_wrong_with_it(
    upload: Any, workspace: Organization, data: bytes, message: str, settings: Any
) -> None:
    response = upload(data)
    assert response.status_code == 422
    assert message in html(response)
    assert not workspace.ambient_sounds.exists()
    assert list(Path(settings.SOUNDS_DIR).iterdir()) == []


def test_a_file_that_is_too_large_is_refused(
    upload: Any, workspace: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("builder.sounds.forms.MOST_BYTES", 1000)
    assert "It is larger than" in html(upload(audio()))
    assert not workspace.ambient_sounds.exists()


def test_it_is_chosen_on_an_agents_page_and_reaches_the_engine(
    upload: Any, workspace: Organization, other_workspace: Organization, agent_factory: AgentFactory
) -> None:
    upload(audio(), name="Rain")
    sound = workspace.ambient_sounds.get()
    agent = agent_factory(config=AgentConfig(ambient=Ambient(bed=sound.pk, volume=0.4, duck=0.1)))
    form = AgentForm(organization=workspace, agent=agent)
    choices = dict(form.fields["ambient_bed"].choices)  # type: ignore[attr-defined]
    assert choices[sound.pk] == "Rain"
    assert set(NAMES) < set(choices)
    assert compile_config(agent, agent.draft_config).spec.ambient == Ambient(bed=sound.pk, volume=0.4, duck=0.1)
    foreign = agent_factory(organization=other_workspace, config=agent.draft_config)
    assert compile_config(foreign, foreign.draft_config).spec.ambient.bed == ""


@pytest.fixture
def kept() -> None:
    files.store("bed_1", [audio()])


async def test_calls_find_it(kept: None) -> None:
    assert (await files.find_bed("bed_1")).name == "bed_1"
    assert (await files.find_bed("office")).name == "office"
    for name in ("bed_2", "../bed_1", "moon"):
        with pytest.raises(KeyError):
            await files.find_bed(name)


def test_one_that_an_agent_uses_cannot_be_deleted(
    upload: Any, client_for: ClientFactory, member: User, workspace: Organization, agent_factory: AgentFactory
) -> None:
    upload(audio(), name="Rain")
    sound = workspace.ambient_sounds.get()
    agent = agent_factory("Reception", config=AgentConfig(ambient=Ambient(bed=sound.pk)))
    client, url = client_for(member), address("sound_delete", workspace, sound_id=sound.pk)
    response = client.post(url)
    assert response.status_code == 409
    assert "Reception" in html(response)
    agent.delete()
    assert client.post(url).status_code == 302
    assert not AmbientSound.objects.exists()


def test_strangers_and_viewers_change_nothing(
    upload: Any,
    client_for: ClientFactory,
    viewer: User,
    stranger: User,
    workspace: Organization,
    other_workspace: Organization,
) -> None:
    upload(audio(), name="Rain")
    sound = workspace.ambient_sounds.get()
    assert client_for(viewer).post(address("sounds", workspace), {}).status_code == 403
    assert client_for(viewer).post(address("sound_delete", workspace, sound_id=sound.pk)).status_code == 403
    stolen = address("sound_audio", other_workspace, sound_id=sound.pk)
    assert client_for(stranger).get(stolen).status_code == 404
