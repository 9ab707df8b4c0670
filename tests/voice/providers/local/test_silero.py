"""The voice activity network that is made of the official one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.speech import DATA, read_wav
from voice.providers.local import manifest
from voice.providers.local.models.onnx_writer import OnnxWriter
from voice.providers.local.models.runtime import floats, session
from voice.providers.local.models.silero import CONTEXT, STATE, WINDOW, network


def test_another_file_is_refused():
    writer = OnnxWriter()
    writer.add("Relu", ["input"], output="output")
    other = writer.model("other", inputs={"input": ("batch",)}, outputs={"output": ("batch",)})
    for content in (other, b"", b"\xff" * 40, b"<html>"):
        with pytest.raises((ValueError, KeyError, IndexError)):
            network(content)


def test_what_the_writer_makes_can_be_run():
    writer = OnnxWriter()
    padded = writer.padded("input", 1, 0)
    writer.add("Relu", [writer.windows(padded, width=2, count=2, step=1)], output="output")
    model = writer.model("two", inputs={"input": ("batch", 2, 1)}, outputs={"output": ("batch", 2, 2)})
    (output,) = session(model).run(None, {"input": np.array([[[3.0], [-4.0]]], np.float32)})
    assert output.tolist() == [[[0.0, 3.0], [3.0, 0.0]]]


@pytest.mark.models
def test_it_says_what_the_official_network_says(models_dir: Path):
    """Over a whole sentence, with the state carried along, in a batch of rows that are at different places in it."""
    path = models_dir / manifest.SILERO
    official, ours = session(path), session(network(path.read_bytes()))
    speech = floats(read_wav(DATA / "how-much.wav"))
    starts = np.arange(7) * 1000
    count = (len(speech) - starts[-1]) // WINDOW
    states = [np.zeros((2, len(starts), STATE), np.float32) for _ in range(2)]
    context = np.zeros((len(starts), CONTEXT), np.float32)
    heard = 0
    for step in range(count):
        windows = np.stack([speech[start + step * WINDOW :][:WINDOW] for start in starts])
        inputs = np.concatenate((context, windows), axis=1)
        context = windows[:, -CONTEXT:]
        given = {"input": inputs, "state": states[0], "sr": np.array(16_000, np.int64)}
        wanted, states[0] = official.run(None, given)
        got, states[1] = ours.run(None, {"input": inputs, "state": states[1]})
        np.testing.assert_allclose(got, wanted, atol=1e-4)
        np.testing.assert_allclose(states[1], states[0], atol=1e-3)
        heard += int((wanted > 0.5).sum())
    assert heard > count  # it is speech that they agree about
