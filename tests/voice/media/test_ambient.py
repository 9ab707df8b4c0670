"""The sound of a place, under an agent's voice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.voice.media.sounds import sentence
from voice.media import FRAME_BYTES, FRAME_SAMPLES, SAMPLE_RATE, hold
from voice.media.ambient import NAMES, AmbientMixer, Bed, bed, load_bed
from voice.media.beep import BeepDetector
from voice.media.dtmf import ToneDetector


def samples(pcm: bytes) -> np.ndarray:
    return np.frombuffer(pcm, "<i2").astype(np.int32)


def loudness(audio: np.ndarray) -> float:
    """In dB below full scale."""
    return float(20 * np.log10(np.sqrt(np.mean(np.square(audio.astype(float)))) / 32768))


def steady(level: int = 1000, frames: int = 200) -> Bed:
    """A bed in which every sample is the same: what is done to it shows."""
    return Bed("steady", np.full(frames * FRAME_SAMPLES, level, np.int16))


@pytest.fixture(params=[*NAMES, "melody", "ringing"])
def loop(request: pytest.FixtureRequest) -> Bed:
    return bed(request.param) if request.param in NAMES else getattr(hold, request.param)()


def test_a_loop_has_no_seam(loop: Bed) -> None:
    steps = np.abs(np.diff(loop.samples.astype(np.int32), append=int(loop.samples[0])))
    assert steps[-1] <= np.max(steps[:-1])
    around = loudness(np.concatenate((loop.samples[-800:], loop.samples[:800])))
    assert around < loudness(loop.samples) + 10


def test_a_loop_is_far_from_full_scale(loop: Bed) -> None:
    assert np.max(np.abs(loop.samples.astype(np.int32))) < 32768 * 10 ** (-8 / 20)


def test_no_key_or_beep_is_in_a_loop(loop: Bed) -> None:
    keys, beeps = ToneDetector(), BeepDetector()
    frames = [loop.frame(index) for index in range(loop.frames)]
    assert "".join(map(keys.feed, frames)) == ""
    assert [beep for frame in frames if (beep := beeps.feed(frame))] == []


@pytest.mark.parametrize("name", NAMES)
def test_a_bed_lasts_twenty_seconds_at_the_loudness_of_all_beds_and_is_never_silent(name: str) -> None:
    audio = bed(name).samples
    assert len(audio) == 20 * SAMPLE_RATE
    assert loudness(audio) == pytest.approx(-30, abs=0.5)
    assert min(loudness(part) for part in audio.reshape(-1, SAMPLE_RATE // 4)) > -45


def test_beds_differ_and_each_is_made_once() -> None:
    assert len({bed(name).samples.tobytes() for name in NAMES}) == len(NAMES)
    assert bed("cafe") is bed("cafe")
    with pytest.raises(KeyError):
        bed("moon")


def test_the_melody_lasts_sixteen_seconds_and_the_ring_is_two_of_six() -> None:
    assert hold.melody().frames * 0.02 == pytest.approx(16)
    ring = hold.ringing()
    sounding = [any(ring.frame(index)) for index in range(ring.frames)]
    assert (ring.frames, sounding.count(True)) == (300, 100)
    assert all(sounding[:100])


def test_a_loop_goes_on_for_ever() -> None:
    ring = hold.ringing()
    assert ring.frame(10) == ring.frame(310) == ring.frame(30_010)


def test_frames_follow_each_other_around_the_loop() -> None:
    cafe = bed("cafe")
    mixer = AmbientMixer(cafe, 1.0, start=19.9)
    heard = b"".join(mixer.mix(None, False) for _ in range(10))
    assert heard == b"".join(cafe.frame(995 + index) for index in range(10))


def test_the_bed_is_under_the_voice() -> None:
    voice = sentence()[: 50 * FRAME_BYTES]
    mixer = AmbientMixer(steady(1000), 0.5, duck=1.0)
    mixed = [mixer.mix(voice[place : place + FRAME_BYTES], True) for place in range(0, len(voice), FRAME_BYTES)]
    np.testing.assert_array_equal(samples(b"".join(mixed)), samples(voice) + 500)


def test_the_bed_gives_way_smoothly_and_quickly_and_comes_back_slowly() -> None:
    mixer = AmbientMixer(steady(10_000), 1.0)
    quiet = bytes(FRAME_BYTES)
    speaking = samples(b"".join(mixer.mix(quiet, True) for _ in range(25)))
    after = samples(b"".join(mixer.mix(None, False) for _ in range(50)))
    whole = np.concatenate((speaking, after))
    assert (speaking[0], speaking[-1], after[-1]) == (10_000, 5_000, 10_000)
    assert np.max(np.abs(np.diff(whole))) <= 5
    falling, rising = np.flatnonzero(speaking == 5_000)[0], np.flatnonzero(after == 10_000)[0]
    assert falling / SAMPLE_RATE == pytest.approx(0.12, abs=0.02)
    assert rising / SAMPLE_RATE == pytest.approx(0.5, abs=0.02)


def test_a_word_in_between_turns_the_ramp_around_without_a_jump() -> None:
    mixer = AmbientMixer(steady(10_000), 1.0)
    parts = [mixer.mix(None, speaking) for speaking in [True] * 3 + [False] * 4 + [True] * 20 + [False] * 40]
    assert np.max(np.abs(np.diff(samples(b"".join(parts))))) <= 5


@pytest.mark.parametrize("loudest", [32767, -32768])
def test_a_voice_at_full_scale_saturates(loudest: int) -> None:
    frame = np.full(FRAME_SAMPLES, loudest, np.int16).tobytes()
    mixer = AmbientMixer(bed("street"), 1.0, duck=1.0)
    mixed = samples(b"".join(mixer.mix(frame, True) for _ in range(1000)))
    assert np.all(np.abs(mixed) > 20_000)
    assert np.all(np.sign(mixed) == np.sign(loudest))


def test_at_no_volume_there_is_nothing_but_the_voice() -> None:
    mixer = AmbientMixer(bed("office"), 0.0)
    voice = sentence()[:FRAME_BYTES]
    assert (mixer.mix(voice, True), mixer.mix(None, False)) == (voice, bytes(FRAME_BYTES))


def test_a_volume_that_makes_no_sense_is_refused() -> None:
    with pytest.raises(ValueError, match="0 to 1"):
        AmbientMixer(steady(), 1.5)


@pytest.mark.parametrize(
    ("rate", "channels", "kind"), [(8000, 1, "PCM_16"), (44_100, 2, "PCM_24"), (48_000, 1, "FLOAT")]
)
def test_an_uploaded_bed_becomes_one_of_ours(tmp_path: Path, rate: int, channels: int, kind: str) -> None:
    time = np.arange(round(4.01 * rate)) / rate
    tone = 0.3 * np.sin(2 * np.pi * 440 * time)
    soundfile.write(tmp_path / "rain.wav", np.stack([tone] * channels, axis=1), rate, subtype=kind)
    loaded = load_bed(tmp_path / "rain.wav")
    assert (loaded.name, loaded.frames) == ("rain", 175)
    assert loudness(loaded.samples) == pytest.approx(-30, abs=0.7)
    spectrum = np.abs(np.fft.rfft(loaded.samples))
    assert np.argmax(spectrum) * SAMPLE_RATE / len(loaded.samples) == pytest.approx(440, abs=1)


def test_an_uploaded_bed_has_no_seam(tmp_path: Path) -> None:
    audio = np.cumsum(np.random.default_rng(1).normal(0, 0.001, 5 * SAMPLE_RATE))
    soundfile.write(tmp_path / "wind.wav", audio / np.max(np.abs(audio)) / 2, SAMPLE_RATE)
    loaded = load_bed(tmp_path / "wind.wav").samples.astype(np.int32)
    steps = np.abs(np.diff(loaded, append=loaded[0]))
    assert steps[-1] <= 2 * np.max(steps[:-1])


@pytest.mark.parametrize(
    ("audio", "rate", "message"),
    [
        (np.full(SAMPLE_RATE, 0.1), SAMPLE_RATE, "2 to 120 seconds"),
        (np.zeros(4 * SAMPLE_RATE), SAMPLE_RATE, "nothing to hear"),
        (np.full(40_000, 0.1), 4000, "8 to 192 kHz"),
    ],
)
def test_an_upload_that_is_no_bed_is_refused_in_words(
    tmp_path: Path, audio: np.ndarray, rate: int, message: str
) -> None:
    soundfile.write(tmp_path / "bad.wav", audio, rate)
    with pytest.raises(ValueError, match=message):
        load_bed(tmp_path / "bad.wav")


def test_a_file_that_is_no_audio_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "bad.wav").write_bytes(b"<html>")
    with pytest.raises(ValueError, match="no audio file"):
        load_bed(tmp_path / "bad.wav")
