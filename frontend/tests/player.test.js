import assert from "node:assert/strict";
import { test } from "node:test";
import { wordsAt } from "../player/follow.js";
import { header, Peaks } from "../player/peaks.js";

/** A stereo WAV file of [left, right] samples, with another chunk before the samples as some programs write it. */
function wav(frames, { extra = 0, kind = 1 } = {}) {
  const bytes = new Uint8Array(44 + (extra ? 8 + extra : 0) + 4 * frames.length);
  const view = new DataView(bytes.buffer);
  const name = (at, text) => [...text].forEach((letter, i) => (bytes[at + i] = letter.charCodeAt(0)));
  name(0, "RIFF");
  view.setUint32(4, bytes.length - 8, true);
  name(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  for (const [at, value] of [[20, kind], [22, 2], [32, 4], [34, 16]]) view.setUint16(at, value, true);
  view.setUint32(24, 16000, true);
  let at = 36;
  if (extra) {
    name(at, "LIST");
    view.setUint32(at + 4, extra, true);
    at += 8 + extra;
  }
  name(at, "data");
  view.setUint32(at + 4, 4 * frames.length, true);
  frames.forEach(([left, right], i) => {
    view.setInt16(at + 8 + 4 * i, left, true);
    view.setInt16(at + 10 + 4 * i, right, true);
  });
  return bytes;
}
const loud = (left, right, count) => Array.from({ length: count }, (_, i) => (i % 2 ? [left, right] : [-left, -right]));

test("each lane shows its own channel", () => {
  const peaks = new Peaks(2);
  peaks.push(wav([...loud(16384, 0, 100), ...loud(0, 8192, 100)]));
  assert.deepEqual([...peaks.channels[0].high], [0.5, 0]);
  assert.deepEqual([...peaks.channels[0].low], [-0.5, 0]);
  assert.deepEqual([...peaks.channels[1].high], [0, 0.25]);
  assert.equal(peaks.progress, 1);
});

test("it does not matter how the bytes arrive", () => {
  const file = wav([...loud(16384, 100, 333), ...loud(50, 8192, 334)], { extra: 26 });
  const whole = new Peaks(50);
  whole.push(file);
  for (const size of [1, 3, 7, 64]) {
    const pieces = new Peaks(50);
    for (let i = 0; i < file.length; i += size) pieces.push(file.slice(i, i + size));
    assert.deepEqual(pieces.channels, whole.channels, `in pieces of ${size}`);
  }
});

test("a recording that broke off is drawn as far as it goes", () => {
  const file = wav(loud(16384, 16384, 100));
  const peaks = new Peaks(4);
  peaks.push(file.slice(0, 44 + 200));
  assert.deepEqual([...peaks.channels[0].high], [0.5, 0.5, 0, 0]);
  assert.equal(peaks.progress, 0.5);
});

test("an empty recording is no error", () => {
  const peaks = new Peaks(4);
  peaks.push(wav([]));
  assert.equal(peaks.progress, 0);
});

test("what is not PCM16 is refused in words", () => {
  assert.throws(() => header(new TextEncoder().encode("<!doctype html><html>")), /no WAV file/);
  assert.throws(() => header(wav([], { kind: 3 })), /not PCM16/);
});

test("the words that sound at a time are found, also of two who speak at once", () => {
  const words = [["Hello", 1, 1.4], ["there", 1.4, 2], ["wait", 1.5, 1.8], ["yes", 5, 5.2]].map(([text, start, end]) => ({ text, start, end }));
  const at = (seconds) => wordsAt(words, seconds).map(({ text }) => text).sort();
  assert.deepEqual([0.5, 1, 1.4, 1.6, 1.9, 3, 5.1, 9].map(at), [[], ["Hello"], ["there"], ["there", "wait"], ["there"], [], ["yes"], []]);
});
