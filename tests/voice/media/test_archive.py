"""What becomes of a recording after its call."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.voice.media.sounds import sentence
from voice.media import SAMPLE_RATE, archive
from voice.media.archive import ArchiveError, compress, outline, seal

Stereo = np.ndarray


def stereo(seconds: float = 20.0) -> Stereo:
    """The caller speaks in the first half, the agent in the second."""
    audio = np.zeros((round(seconds * SAMPLE_RATE), 2), np.int16)
    said = np.resize(np.frombuffer(sentence(), "<i2"), len(audio) // 2)
    audio[: len(said), 0] = said
    audio[len(said) :, 1] = said[::-1][: len(audio) - len(said)]
    return audio


@pytest.fixture
def audio() -> Stereo:
    return stereo()


@pytest.fixture
def wav(tmp_path: Path, audio: Stereo) -> Path:
    path = tmp_path / "call_1.wav"
    soundfile.write(path, audio, SAMPLE_RATE, subtype="PCM_16")
    return path


def test_a_flac_holds_the_very_same_samples_in_less_room_and_takes_the_place_of_the_wav(
    wav: Path, audio: Stereo
) -> None:
    size = wav.stat().st_size
    flac = compress(wav)
    samples, rate = soundfile.read(flac, dtype="int16")
    assert (flac.name, rate) == ("call_1.flac", SAMPLE_RATE)
    np.testing.assert_array_equal(samples, audio)
    assert flac.stat().st_size < 0.6 * size
    assert [path.name for path in wav.parent.iterdir()] == ["call_1.flac"]


def test_opus_is_smaller_still_and_lasts_as_long(wav: Path, audio: Stereo) -> None:
    size = wav.stat().st_size
    opus = compress(wav, "opus")
    assert opus.name == "call_1.opus"
    assert seal(opus).seconds == pytest.approx(20.0)
    assert opus.stat().st_size < 0.2 * size
    heard = soundfile.read(opus, dtype="int16")[0].astype(float)
    assert np.corrcoef(heard[:, 0], audio[:, 0])[0, 1] > 0.9


def test_the_wav_stays_when_the_copy_is_not_the_same(wav: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encode = archive._encode

    def faulty(source: soundfile.SoundFile, partial: Path, kind: archive.Kind) -> None:
        encode(source, partial, kind)
        samples, rate = soundfile.read(partial, dtype="int16")
        samples[12_345, 1] += 1
        soundfile.write(partial, samples, rate, format="FLAC")

    monkeypatch.setattr(archive, "_encode", faulty)
    before = wav.read_bytes()
    with pytest.raises(ArchiveError, match="not what it was"):
        compress(wav)
    assert wav.read_bytes() == before
    assert [path.name for path in wav.parent.iterdir()] == ["call_1.wav"]


def test_what_an_earlier_try_left_behind_is_in_nobodys_way(wav: Path, audio: Stereo) -> None:
    for left in (".call_1.flac.part", "call_1.flac"):
        (wav.parent / left).write_bytes(b"half of it")
    np.testing.assert_array_equal(soundfile.read(compress(wav), dtype="int16")[0], audio)
    assert [path.name for path in wav.parent.iterdir()] == ["call_1.flac"]


def test_what_is_no_audio_is_refused_and_stays(tmp_path: Path) -> None:
    (tmp_path / "call_1.wav").write_bytes(b"nothing that sounds")
    for work in (compress, seal, outline):
        with pytest.raises(ArchiveError, match=r"call_1\.wav cannot be read"):
            work(tmp_path / "call_1.wav")
    assert [path.name for path in tmp_path.iterdir()] == ["call_1.wav"]
    with pytest.raises(FileNotFoundError):
        seal(tmp_path / "call_2.wav")


def test_an_empty_recording_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "call_1.wav"
    soundfile.write(path, np.zeros((0, 2), np.int16), SAMPLE_RATE, subtype="PCM_16")
    assert not any(outline(path))
    with pytest.raises(ArchiveError):
        compress(path)
    assert seal(path).seconds == 0.0


def test_a_seal_tells_what_a_file_is(wav: Path) -> None:
    sealed = seal(wav)
    assert sealed.sha256 == hashlib.sha256(wav.read_bytes()).hexdigest()
    assert (sealed.seconds, sealed.bytes) == (20.0, wav.stat().st_size)


def test_one_changed_byte_breaks_the_seal(wav: Path) -> None:
    before = seal(wav).sha256
    content = bytearray(wav.read_bytes())
    content[5000] ^= 1
    wav.write_bytes(content)
    assert seal(wav).sha256 != before


def test_an_outline_has_the_extremes_of_every_stretch_of_every_channel(wav: Path, audio: Stereo) -> None:
    drawn = np.frombuffer(outline(wav, stretches=100), np.int8).reshape(2, 100, 2)
    pieces = audio.reshape(100, -1, 2)
    for channel in range(2):
        np.testing.assert_array_equal(drawn[channel, :, 0], np.rint(pieces[:, :, channel].min(1) * (127 / 32768)))
        np.testing.assert_array_equal(drawn[channel, :, 1], np.rint(pieces[:, :, channel].max(1) * (127 / 32768)))


def test_an_outline_does_not_depend_on_how_the_file_is_kept_or_read(wav: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = outline(wav)
    monkeypatch.setattr(archive, "_BLOCK", 1001)
    assert outline(wav) == whole
    assert outline(compress(wav)) == whole


def test_a_recording_with_fewer_samples_than_stretches_has_an_outline(tmp_path: Path) -> None:
    path = tmp_path / "call_1.wav"
    soundfile.write(path, np.full((10, 2), 16384, np.int16), SAMPLE_RATE, subtype="PCM_16")
    drawn = np.frombuffer(outline(path, stretches=40), np.int8).reshape(2, 40, 2)
    assert drawn[:, :, 1].max() == 64
