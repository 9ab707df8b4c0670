"""Voices that people have brought, and the sounds of other languages."""

# ruff: noqa: RUF001

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from tests.voice.providers.local.test_service import hosting, models, spoken  # noqa: F401
from voice.providers.base import ProviderError
from voice.providers.local import espeak
from voice.providers.local.brought import BroughtVoices
from voice.providers.local.models.kokoro import SYMBOLS, phonemes, styles
from voice.providers.local.models.onnx_graph import has_external_data
from voice.providers.local.models.piper import Piper, read_config
from voice.providers.local.models.wire import encode
from voice.providers.local.service import Service
from voice.providers.local.tts import LocalTts

CONFIG = {
    "audio": {"sample_rate": 22_050},
    "espeak": {"voice": "es"},
    "phoneme_id_map": {"_": [0], "^": [1], "$": [2], "a": [3]},
}


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An espeak-ng that says "t^ʃa(en)" of everything, and writes down what it was asked."""
    folder, asked = tmp_path / "bin", tmp_path / "asked"
    folder.mkdir()
    file = folder / espeak.PROGRAM
    file.write_text(f'#!/bin/sh\n{{ echo "$@"; cat; echo; }} >> "{asked}"\nprintf " t^ʃˈa(en)\\n"\n')
    file.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return asked


# --- other languages


def test_the_sounds_of_a_language_keep_the_punctuation(program: Path) -> None:
    assert espeak.ipa("Hola, amigos.", "es") == "t^ʃˈa, t^ʃˈa."
    assert "-v es --stdin" in program.read_text()
    assert "Hola" in program.read_text()


def test_kokoro_writes_what_is_tied_as_one_symbol(program: Path) -> None:
    assert phonemes("Hola.", "es") == [SYMBOLS[symbol] for symbol in "ʧˈa."]
    assert "-v pt-br" not in program.read_text()
    phonemes("Olá.", "pt-BR")
    assert "-v pt-br" in program.read_text()


def test_without_the_program_it_is_said_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert not espeak.installed()
    with pytest.raises(ProviderError, match="program espeak-ng, which is not installed"):
        phonemes("Hola.", "es")


def test_a_language_that_the_model_has_not_learnt_so_is_refused(program: Path) -> None:
    with pytest.raises(ProviderError, match="do not speak 'ja'"):
        phonemes("こんにちは", "ja")


async def test_a_call_in_another_language_is_spoken_in_it(serving, hosting, models):  # noqa: F811
    async with serving(Service(hosting({**models, "voices": object()}))) as connection:
        speech = LocalTts(connection).speak("Hola.", voice="ef_dora", speed=1.0, language="es")
        assert b"".join([audio.pcm async for audio in speech])
    assert models["tts"].how["language"] == "es"


async def test_the_light_voice_does_not_read_other_languages_as_english(serving, hosting, models):  # noqa: F811
    async with serving(Service(hosting(models))) as connection:
        with pytest.raises(ProviderError, match="speaks English only"):
            async for _ in LocalTts(connection, light=True).speak("Hola.", voice="joe", speed=1.0, language="es"):
                pass


# --- files


async def test_a_voice_that_was_brought_speaks_by_its_own_vectors(serving, hosting, models, tmp_path):  # noqa: F811
    (tmp_path / "voice_1.bin").write_bytes(np.zeros((4, 256), "<f4").tobytes())
    async with serving(Service(hosting(models), tmp_path)) as connection:
        await spoken(LocalTts(connection), "Hello.", voice="voice_1")
        assert models["tts"].how["file"] == tmp_path / "voice_1.bin"
        with pytest.raises(ProviderError, match="not on this machine any more"):
            await spoken(LocalTts(connection), "Hello.", voice="voice_2")


@pytest.mark.parametrize("voice", ["voice_../voice_1", "../voice_1", "voice_1/", "voice_"])
def test_an_id_is_no_way_to_other_files(tmp_path: Path, voice: str) -> None:
    (tmp_path / "voice_1.bin").write_bytes(b"1234")
    assert BroughtVoices(tmp_path / "voices").vectors(voice) is None
    assert BroughtVoices(tmp_path).vectors(voice) is None


@pytest.mark.parametrize(
    "data", [b"", b"123", np.zeros(255, "<f4").tobytes(), np.full(256, np.nan, "<f4").tobytes(), b"\x7f" * 1024]
)
def test_what_is_no_voice_of_kokoro_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "voice.bin").write_bytes(data)
    with pytest.raises(ProviderError, match="no Kokoro voice"):
        styles(tmp_path / "voice.bin")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "cannot be read"),
        ("[]", "needs audio.sample_rate"),
        (json.dumps({**CONFIG, "audio": {"sample_rate": "fast"}}), "needs audio.sample_rate"),
        (json.dumps({**CONFIG, "audio": {"sample_rate": 500_000}}), "its rate"),
        (json.dumps({**CONFIG, "phoneme_id_map": {"a": [1]}}), "its sounds"),
    ],
)
def test_what_is_no_config_of_piper_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "voice.onnx.json").write_text(text)
    with pytest.raises(ProviderError, match=message):
        read_config(tmp_path / "voice.onnx.json")


@pytest.mark.parametrize("data", [b"", b"PK\3\4 a zip", encode(7, b""), encode(1, 8) + encode(7, encode(2, b"graph"))])
def test_what_is_no_model_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "voice.onnx").write_bytes(data)
    (tmp_path / "voice.onnx.json").write_text(json.dumps(CONFIG))
    with pytest.raises(ProviderError, match="no ONNX model that can be run here"):
        Piper(tmp_path / "voice.onnx", tmp_path / "voice.onnx.json")


def test_a_model_that_would_read_other_files_of_this_machine_is_refused(tmp_path: Path) -> None:
    tensor = encode(8, "weights") + encode(13, encode(1, "location") + encode(2, "/etc/passwd")) + encode(14, 1)
    (tmp_path / "voice.onnx").write_bytes(encode(7, encode(5, tensor)))
    (tmp_path / "voice.onnx.json").write_text(json.dumps(CONFIG))
    assert has_external_data(tmp_path / "voice.onnx")
    with pytest.raises(ProviderError, match="weights in another file"):
        Piper(tmp_path / "voice.onnx", tmp_path / "voice.onnx.json")
