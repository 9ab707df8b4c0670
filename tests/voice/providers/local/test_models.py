"""What of the models needs no weights: features, tokens, symbols, silence."""

from __future__ import annotations

import numpy as np
import pytest

from voice.providers.local.models import features, kokoro
from voice.providers.local.models.minilm import WordPiece
from voice.providers.local.models.moonshine import read_tokens
from voice.providers.local.models.onnx_graph import OnnxGraph
from voice.providers.local.models.qwen import beginning, shortened
from voice.providers.local.models.runtime import floats, pcm16, session


def test_mel_filters_have_equal_areas_and_rise_in_frequency():
    filters = features.mel_filters()
    assert filters.shape == (80, 201)
    centres = filters.argmax(axis=1)
    assert (np.diff(centres) >= 0).all()
    areas = filters[20:].sum(axis=1) * 40.0
    assert areas == pytest.approx(np.ones(60), rel=0.1)


def test_hertz_and_mel_are_inverse():
    hertz = np.array([0.0, 200.0, 999.0, 1000.0, 4000.0, 8000.0])
    assert features.mel_to_hertz(features.hertz_to_mel(hertz)) == pytest.approx(hertz)
    assert features.hertz_to_mel(np.array([1000.0]))[0] == pytest.approx(15.0)


def test_a_tone_lights_up_its_own_band_at_its_own_time():
    audio = np.zeros(4 * features.RATE, np.float32)
    audio[-features.RATE :] = np.sin(2 * np.pi * 1000 * np.arange(features.RATE) / features.RATE)
    mel = features.log_mel(audio)
    assert mel.shape == (80, 800)
    assert mel[:, 750].argmax() == features.mel_filters()[:, 25].argmax()  # bin 25 of 201 is 1000 Hz
    assert mel[:, 750].max() - mel[:, 300].max() == pytest.approx(2.0)


def test_only_the_last_eight_seconds_count():
    noise = np.random.default_rng(1).standard_normal(12 * features.RATE).astype(np.float32)
    assert np.array_equal(features.log_mel(noise), features.log_mel(noise[-features.SAMPLES :]))


def test_tokens_are_read_with_short_and_long_lengths():
    long = b"x" * 300
    data = b"\x01a\x00\x02bc" + bytes([128 + 300 % 128, 300 // 128]) + long
    assert read_tokens(data) == [b"a", b"", b"bc", long]


def test_kokoros_symbols_are_the_ones_it_was_trained_with():
    assert len(kokoro.SYMBOLS) == 114
    assert [kokoro.SYMBOLS[s] for s in "; aəᵻ"] == [1, 16, 43, 83, 177]


def test_what_has_no_words_has_no_phonemes():
    assert kokoro.phonemes("") == kokoro.phonemes("...") == []
    assert kokoro.phonemes("Hello.")


def test_silence_at_the_ends_is_trimmed():
    audio = np.zeros(48_000, np.float32)
    audio[20_000:30_000] = 0.5
    assert len(kokoro.trimmed(audio)) == pytest.approx(10_000 + kokoro.LEAD + kokoro.TAIL, abs=2)
    assert len(kokoro.trimmed(np.zeros(10, np.float32))) == 10


def test_words_are_cut_into_the_longest_known_pieces():
    names = ["[CLS]", "[SEP]", "[UNK]", "play", "##ing", "##s", "cafe", "!", "_"]
    pieces = WordPiece({name: number for number, name in enumerate(names)})
    assert pieces.ids("Playing CAFÉ!") == [0, 3, 4, 6, 7, 1]
    assert pieces.ids("unknown plays") == [0, 2, 3, 5, 1]
    assert len(pieces.ids("play " * 500)) == 256


def test_the_oldest_turns_go_first_and_the_prompt_stays():
    turns = [{"role": role, "content": f"{n} " + "x" * 100} for n in range(10) for role in ("user", "assistant")]
    messages = [{"role": "system", "content": "prompt"}, *turns, {"role": "user", "content": "last"}]
    kept = shortened(messages, 1000, 500)
    assert kept[0]["content"] == "prompt"
    assert kept[1]["role"] == "user"
    assert kept[-1]["content"] == "last"
    assert 8 <= len(kept) <= 12
    assert shortened(messages[:1] + messages[-1:], 1000, 10) == messages[:1] + messages[-1:]


def test_audio_goes_to_floats_and_back():
    samples = np.array([-1.0, -0.5, 0.0, 0.5, 1.0, 2.0], np.float32)
    assert np.allclose(floats(pcm16(samples)), np.clip(samples, -1, 1), atol=1e-4)


def test_reading_ahead_stops_before_the_word_that_may_change():
    system, user = {"role": "system", "content": "Be kind."}, {"role": "user", "content": "Are you open on. Sun."}
    start = "<|im_start|>system\nBe kind.<|im_end|>\n"
    assert beginning([system]) == start
    assert beginning([system, user]) == start + "<|im_start|>user\nAre you open on"
    assert beginning([system, {"role": "user", "content": "Hm"}]) == start + "<|im_start|>user\n"


def test_all_of_a_short_word_is_spoken_however_little_silence_is_around_it():
    silent = np.full(40, -10.0, np.float32)
    word = np.full(8, 5.0, np.float32)
    assert kokoro.spoken(np.concatenate((silent, word, silent))) == (40 - kokoro.KEPT, 48 + kokoro.KEPT)
    assert kokoro.spoken(np.concatenate((silent[:1], word))) == (0, 9)
    assert kokoro.spoken(silent) == (0, 40)


def test_pieces_are_cut_where_the_voice_is_soft_and_none_is_a_scrap():
    energy = np.ones(300, np.float32)
    energy[[25, 60, 120, 200]] = 0
    assert kokoro.cuts(energy, 0, 40) == []
    assert kokoro.cuts(energy, 0, 80) == [25]
    assert kokoro.cuts(energy, 0, 150) == [25, 60]
    assert kokoro.cuts(energy, 0, 300) == [25, 60, 120, 200]


def test_a_piece_is_faded_into_the_next():
    tail, audio = np.ones(4, np.float32), np.zeros(8, np.float32)
    assert kokoro.joined(tail, audio).tolist() == pytest.approx([1, 2 / 3, 1 / 3, 0, 0, 0, 0, 0])
    assert kokoro.joined(tail[:0], audio).tolist() == audio.tolist()


# --- ONNX


def _field(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | 2, len(content)]) + content


def _tensor(name: bytes) -> bytes:
    return _field(1, name) + _field(2, _field(1, b"\x08\x01"))


@pytest.fixture
def model(tmp_path):
    """a -> double = a + a -> square = double * double -> sum = square + a"""
    nodes = [
        _field(1, b"a") + _field(1, b"a") + _field(2, b"double") + _field(4, b"Add"),
        _field(1, b"double") + _field(1, b"double") + _field(2, b"square") + _field(4, b"Mul"),
        _field(1, b"square") + _field(1, b"a") + _field(2, b"sum") + _field(4, b"Add"),
    ]
    graph = b"".join(_field(1, node) for node in nodes) + _field(2, b"whole")
    graph += _field(11, _tensor(b"a")) + _field(12, _tensor(b"sum"))
    path = tmp_path / "model.onnx"
    path.write_bytes(
        b"\x08\x08" + _field(8, b"\x10\x0d") + b"\x3a\x80\x01".replace(b"\x80\x01", _length(graph)) + graph
    )
    return path


def _length(content: bytes) -> bytes:
    return bytes([len(content) & 127 | 128, len(content) >> 7]) if len(content) > 127 else bytes([len(content)])


def test_a_model_is_cut_into_a_part_up_to_a_tensor_and_a_part_from_it(model):
    graph = OnnxGraph(model)
    first, second = session(graph.part(["square"])), session(graph.part(["sum"], given=["square"]))
    three = np.array([3.0], np.float32)
    assert first.run(None, {"a": three})[0] == 36
    assert sorted(tensor.name for tensor in second.get_inputs()) == ["a", "square"]
    assert second.run(None, {"a": three, "square": np.array([10.0], np.float32)})[0] == 13


def test_a_part_that_is_not_there_is_refused(model):
    with pytest.raises(KeyError):
        OnnxGraph(model).part(["cube"])
