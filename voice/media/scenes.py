"""The sounds of places, made from nothing: an office, a cafe, a street, a call centre.

Each is a loop without a seam, for all that is in it wraps around: noise is shaped as one period of a spectrum, and a
sound that begins near the end goes on at the start. The same place always sounds the same.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from voice.media import FRAME_SAMPLES, SAMPLE_RATE

Floats = npt.NDArray[np.float64]
Random = np.random.Generator

FRAMES = 1000
SAMPLES = FRAMES * FRAME_SAMPLES
SECONDS = SAMPLES / SAMPLE_RATE

_FREQUENCIES: Floats = np.fft.rfftfreq(SAMPLES, 1 / SAMPLE_RATE).astype(np.float64)
# Formants of vowels as a man speaks them, in Hz.
_VOWELS = (
    (730, 1090, 2440),
    (270, 2290, 3010),
    (300, 870, 2240),
    (530, 1840, 2480),
    (570, 840, 2410),
    (440, 1020, 2240),
)


def office(random: Random) -> Floats:
    """Ventilation, two people talking further off, typing at two desks."""
    track = noise(random, 40, 350) + 0.08 * noise(random, 300, 3000)
    track += 0.5 * distant(murmur(random, talkers=2, pauses=4.0), random, brightness=1500)
    for desk in (0.8, 0.35):
        track += desk * typing(random, runs=4)
    return track


def cafe(random: Random) -> Floats:
    """Many tables, cups and spoons, the coffee machine once."""
    track = 1.6 * distant(murmur(random, talkers=9, pauses=1.5), random, brightness=2500)
    track += 0.35 * noise(random, 60, 500)
    track += 0.25 * noise(random, 2500, 6000) * swell(SECONDS * 0.6, width=1.4)
    for _ in range(14):
        put(track, float(random.uniform(0.6, 2.0)) * clink(random), random.uniform(0, SECONDS))
    return track


def street(random: Random) -> Floats:
    """Traffic further off, cars that pass, wind, people who walk by."""
    track = noise(random, 30, 180) + 0.3 * noise(random, 100, 900)
    track += 0.2 * noise(random, 200, 1200) * (1.0 + 0.6 * np.sin(2 * np.pi * 3 * np.arange(SAMPLES) / SAMPLES))
    for near in (0.9, 0.5, 1.4, 0.7, 1.1):
        track += near * car(random, random.uniform(0, SECONDS))
    track += 0.25 * distant(murmur(random, talkers=2, pauses=5.0), random, brightness=2200)
    return track


def call_centre(random: Random) -> Floats:
    """A room of people on the telephone, and their keyboards."""
    track = 1.4 * distant(murmur(random, talkers=12, pauses=2.5), random, brightness=1900)
    track += 0.5 * noise(random, 50, 450)
    for desk in (0.5, 0.3, 0.25):
        track += desk * typing(random, runs=5)
    return track


SCENES: dict[str, Callable[[Random], Floats]] = {
    "office": office,
    "cafe": cafe,
    "street": street,
    "call_centre": call_centre,
}

# --- what they are made of


def noise(random: Random, low: float, high: float) -> Floats:
    """Noise between two frequencies, fading by 12 dB an octave beyond them; its rms is 1."""
    spectrum = random.normal(size=(2, len(_FREQUENCIES)))
    shaped = (spectrum[0] + 1j * spectrum[1]) * _band(_FREQUENCIES, low, high)
    track = np.fft.irfft(shaped, SAMPLES)
    return _at_one(track)


def _band(frequencies: Floats, low: float, high: float) -> Floats:
    safe = np.maximum(frequencies, 1.0)
    return 1 / np.sqrt((1 + (low / safe) ** 4) * (1 + (safe / high) ** 4))


def _at_one(track: npt.NDArray[np.floating]) -> Floats:
    """With an rms of 1."""
    return np.asarray(track / np.sqrt(np.mean(track**2)), np.float64)


def put(track: Floats, sound: Floats, at: float) -> None:
    """Add a sound from `at` seconds on; what goes over the end comes at the start."""
    track[(round(at * SAMPLE_RATE) + np.arange(len(sound))) % SAMPLES] += sound


def swell(at: float, width: float) -> Floats:
    """A loudness that rises to 1 at `at` seconds and falls again, over about `width` seconds to either side."""
    away = np.abs(np.arange(SAMPLES) / SAMPLE_RATE - at)
    return np.exp(-((np.minimum(away, SECONDS - away) / width) ** 2))


def distant(track: Floats, random: Random, brightness: float) -> Floats:
    """As heard across a room: reverberation of half a second, and nothing sharp. The rms becomes 1."""
    time = np.arange(SAMPLES) / SAMPLE_RATE
    echoes = random.normal(size=SAMPLES) * np.exp(-time / 0.09)
    echoes[0] += 12.0
    spectrum = np.fft.rfft(track) * np.fft.rfft(echoes) * _band(_FREQUENCIES, 120, brightness)
    return _at_one(np.fft.irfft(spectrum, SAMPLES))


def murmur(random: Random, talkers: int, pauses: float) -> Floats:
    """People who talk in no language, each in phrases with pauses of about so many seconds between."""
    track = np.zeros(SAMPLES)
    for _ in range(talkers):
        pitch, tract = random.uniform(85, 210), random.uniform(0.95, 1.2)
        loudness, at = random.uniform(0.3, 1.0), random.uniform(0, 2.0)
        while at < SECONDS:
            syllables = int(random.integers(4, 16))
            for place in range(syllables):
                length = random.uniform(0.11, 0.24)
                height = pitch * (1.15 - 0.3 * place / syllables) * random.uniform(0.94, 1.06)
                put(track, loudness * random.uniform(0.5, 1.0) * syllable(random, length, height, tract), at)
                at += 0.85 * length
            at += random.exponential(pauses)
    return track


def syllable(random: Random, length: float, pitch: float, tract: float) -> Floats:
    """A vowel, sometimes with a hiss before it: a buzz or a noise through three formants."""
    count = round(length * SAMPLE_RATE)
    glide = pitch * (1 + random.uniform(-0.08, 0.08) * np.linspace(0, 1, count))
    buzz = np.cumsum(glide) / SAMPLE_RATE % 1.0 - 0.5 + 0.05 * random.normal(size=count)
    frequencies = np.fft.rfftfreq(count, 1 / SAMPLE_RATE)
    vowel = _VOWELS[random.integers(len(_VOWELS))]
    throat = sum(
        strength / (1 + ((frequencies - tract * formant) / (60 + 0.06 * formant)) ** 2)
        for formant, strength in zip(vowel, (1.0, 0.5, 0.2), strict=True)
    )
    sound = np.fft.irfft(np.fft.rfft(buzz) * throat, count) * np.sin(np.pi * np.linspace(0, 1, count)) ** 0.7
    if random.random() < 0.3:
        hiss = round(0.06 * SAMPLE_RATE)
        sound[:hiss] += 0.02 * np.diff(random.normal(size=hiss + 1)) * np.hanning(hiss)
    return sound


def typing(random: Random, runs: int) -> Floats:
    """Somebody types a few words, so many times."""
    track = np.zeros(SAMPLES)
    for _ in range(runs):
        at = random.uniform(0, SECONDS)
        for _ in range(int(random.integers(6, 22))):
            strength = random.uniform(0.4, 1.0)
            put(track, strength * key(random), at)
            put(track, 0.4 * strength * key(random), at + random.uniform(0.06, 0.1))
            at += random.uniform(0.09, 0.24)
    return track


def key(random: Random) -> Floats:
    """A key that is pressed: a click, and the thud of the desk."""
    time = np.arange(round(0.04 * SAMPLE_RATE)) / SAMPLE_RATE
    click = np.diff(random.normal(size=len(time) + 1)) * np.exp(-time / 0.0015)
    thud = np.sin(2 * np.pi * random.uniform(160, 240) * time) * np.exp(-time / 0.009)
    return 1.2 * click + 0.8 * thud


def clink(random: Random) -> Floats:
    """A cup on its saucer."""
    time = np.arange(round(0.4 * SAMPLE_RATE)) / SAMPLE_RATE
    base, sound = random.uniform(1700, 2600), np.zeros(len(time))
    for ratio in (1.0, 1.52, 2.31, 2.87):
        frequency = base * ratio * random.uniform(0.98, 1.02)
        sound += np.sin(2 * np.pi * frequency * time) * np.exp(-time / random.uniform(0.02, 0.07)) / ratio
    return sound


def car(random: Random, at: float) -> Floats:
    """A car that passes: a rumble that grows, and the tyres when it is near."""
    width = random.uniform(1.6, 3.0)
    return noise(random, 50, 400) * swell(at, width) + 0.5 * noise(random, 400, 2200) * swell(at, 0.5 * width)
