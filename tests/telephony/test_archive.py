"""What becomes of the recordings of calls that are over."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from telephony import services, tasks
from telephony.models import Call
from telephony.recordings import outline_of, recording_path, stored_recording
from tests.conftest import CallFactory, ClientFactory
from voice.media import archive

pytestmark = pytest.mark.django_db

AUDIO = (np.sin(np.arange(64_000)[:, None] * [0.05, 0.11]) * [8000, 2000]).astype(np.int16)


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Path:
    settings.RECORDINGS_DIR = tmp_path
    return tmp_path


def record(call: Call) -> Path:
    path = recording_path(call.pk)
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, AUDIO, 16_000, subtype="PCM_16")
    return path


@pytest.fixture
def call(call_factory: CallFactory) -> Call:
    """A call that is over, its recording as it was written."""
    made = call_factory(recording_seconds=4.0)
    record(made)
    return made


def files(folder: Path) -> set[str]:
    return {path.suffix for path in folder.rglob("*") if path.is_file()}


def address(name: str, call: Call) -> str:
    return reverse(name, args=[call.organization.slug, call.pk])


# --- archiving


def test_a_recording_is_compressed_without_loss_and_sealed(call: Call, folder: Path) -> None:
    tasks.archive_recording(call.pk)
    call.refresh_from_db()
    kept = stored_recording(call.pk)
    assert kept is not None
    np.testing.assert_array_equal(soundfile.read(kept, dtype="int16")[0], AUDIO)
    assert call.recording_format == "flac"
    assert call.recording_sha256 == hashlib.sha256(kept.read_bytes()).hexdigest()
    assert files(folder) == {".flac", ".outline"}


def test_archiving_twice_changes_nothing(call: Call) -> None:
    services.recording_archive(call_id=call.pk)
    call.refresh_from_db()
    before = call.recording_sha256
    services.recording_archive(call_id=call.pk)
    call.refresh_from_db()
    assert call.recording_sha256 == before


def test_a_recording_whose_worker_died_before_it_was_sealed_is_sealed(call: Call) -> None:
    kept = archive.compress(recording_path(call.pk))
    services.recording_archive(call_id=call.pk)
    call.refresh_from_db()
    assert call.recording_sha256 == hashlib.sha256(kept.read_bytes()).hexdigest()


def test_a_recording_that_cannot_be_compressed_is_kept_and_sealed_as_it_was_written(
    call: Call, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> Path:
        raise archive.ArchiveError("What was made of it is not what it was.")

    monkeypatch.setattr(services, "compress", refuse)
    services.recording_archive(call_id=call.pk)
    call.refresh_from_db()
    assert call.recording_format == "wav"
    assert call.recording_sha256 == hashlib.sha256(recording_path(call.pk).read_bytes()).hexdigest()
    assert files(folder) == {".wav", ".outline"}


def test_a_call_that_is_deleted_meanwhile_leaves_nothing(
    call: Call, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def delete_and_seal(path: Path) -> archive.Sealed:
        Call.objects.filter(pk=call.pk).delete()
        return archive.seal(path)

    monkeypatch.setattr(services, "seal", delete_and_seal)
    services.recording_archive(call_id=call.pk)
    assert files(folder) == set()


def test_a_call_without_a_recording_and_one_that_is_live_are_left_alone(call_factory: CallFactory) -> None:
    silent, live = call_factory(), call_factory(state=Call.State.LIVE, recording_seconds=4.0)
    path = record(live)
    for call in (silent, live):
        services.recording_archive(call_id=call.pk)
    assert path.exists()


@pytest.mark.django_db(transaction=True)
def test_the_end_of_a_call_has_its_recording_archived(call_factory: CallFactory) -> None:
    call = call_factory(state=Call.State.LIVE)
    record(call)
    services.call_finish(call_id=call.pk, reason="caller_ended", detail="", duration=4.0, recording_seconds=4.0)
    call.refresh_from_db()
    assert (call.state, call.recording_format) == (Call.State.ENDED, "flac")


@pytest.mark.django_db(transaction=True)
def test_a_queue_that_is_away_does_not_fail_the_end_of_a_call_and_the_recording_is_archived_later(
    call_factory: CallFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = call_factory(state=Call.State.LIVE)
    record(call)
    with monkeypatch.context() as patched:
        patched.setattr(services, "_work_up_soon", lambda call_id, archive: 1 / 0)
        assert services.call_finish(
            call_id=call.pk, reason="caller_ended", detail="", duration=4.0, recording_seconds=4.0
        )
    tasks.tidy_recordings()
    call.refresh_from_db()
    assert call.recording_format == ""
    Call.objects.filter(pk=call.pk).update(ended_at=timezone.now() - timedelta(hours=1))
    tasks.tidy_recordings()
    call.refresh_from_db()
    assert call.recording_format == "flac"


# --- keeping


def test_recordings_that_are_too_old_are_deleted_and_their_calls_say_so(
    call: Call, call_factory: CallFactory, settings: Any, folder: Path, owner: User, client_for: ClientFactory
) -> None:
    settings.RECORDING_RETENTION_DAYS = 30
    old = call_factory(recording_seconds=4.0, ended_at=timezone.now() - timedelta(days=31))
    record(old)
    services.recording_archive(call_id=old.pk)
    assert services.recordings_expire() == 1
    old.refresh_from_db()
    assert old.recording_deleted_at is not None
    assert stored_recording(old.pk) is None
    assert {path.name for path in folder.rglob("*.*")} == {f"{call.pk}.wav"}
    assert "as old recordings are" in client_for(owner).get(address("call", old)).text
    assert client_for(owner).get(address("call_recording", old)).status_code == 404
    assert services.recordings_expire() == 0


def test_without_a_limit_recordings_stay(call: Call, settings: Any) -> None:
    Call.objects.filter(pk=call.pk).update(ended_at=timezone.now() - timedelta(days=4000))
    assert settings.RECORDING_RETENTION_DAYS == 0
    assert services.recordings_expire() == 0
    assert stored_recording(call.pk) is not None


@pytest.mark.django_db(transaction=True)
def test_deleting_a_call_deletes_all_that_was_made_of_its_recording(call: Call, owner: User, folder: Path) -> None:
    services.recording_archive(call_id=call.pk)
    services.call_delete(call=call, actor=owner)
    assert files(folder) == set()


# --- serving


def test_a_flac_is_served_as_what_it_is(call: Call, viewer: User, client_for: ClientFactory) -> None:
    services.recording_archive(call_id=call.pk)
    kept = stored_recording(call.pk)
    assert kept is not None
    client = client_for(viewer)
    whole = client.head(address("call_recording", call))
    assert whole["Content-Type"] == "audio/flac"
    assert whole["Content-Disposition"] == f'inline; filename="{call.pk}.flac"'
    assert whole["Content-Length"] == str(kept.stat().st_size)
    part = client.head(address("call_recording", call), headers={"Range": "bytes=0-99"})
    assert (part.status_code, part["Content-Range"]) == (206, f"bytes 0-99/{kept.stat().st_size}")
    page = client.get(address("call", call))
    assert (page.context["page"].recording_kind, "(FLAC)" in page.text) == ("FLAC", True)


def test_the_outline_is_served_before_and_after_archiving(call: Call, viewer: User, client_for: ClientFactory) -> None:
    client = client_for(viewer)
    before = client.get(address("call_outline", call))
    services.recording_archive(call_id=call.pk)
    after = client.get(address("call_outline", call))
    assert before.status_code == after.status_code == 200
    assert before.content == after.content
    drawn = np.frombuffer(after.content, np.int8).reshape(2, archive.STRETCHES, 2)
    assert drawn[0, :, 1].max() == round(8000 / 32768 * 127)
    assert drawn[1, :, 1].max() == round(2000 / 32768 * 127)


def test_an_outline_is_made_once(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = outline_of(recording_path(call.pk))
    monkeypatch.setattr(archive, "outline", lambda path: b"")
    assert outline_of(recording_path(call.pk)) == drawn


def test_a_recording_that_cannot_be_read_has_no_outline(call: Call, viewer: User, client_for: ClientFactory) -> None:
    recording_path(call.pk).write_bytes(b"nothing that sounds")
    assert client_for(viewer).get(address("call_outline", call)).status_code == 404
