import assert from "node:assert/strict";
import { test } from "node:test";
import { wordsAt } from "../player/follow.js";
import { Peaks } from "../player/peaks.js";

test("each lane shows its own channel", () => {
  const peaks = new Peaks(new Int8Array([-127, 127, 0, 0, /* right */ 0, 0, -64, 32]).buffer, 2);
  assert.equal(peaks.channels.length, 2);
  assert.deepEqual([...peaks.channels[0].low], [-1, 0]);
  assert.deepEqual([...peaks.channels[0].high], [1, 0]);
  assert.deepEqual([...peaks.channels[1].low].map((value) => value.toFixed(2)), ["0.00", "-0.50"]);
  assert.deepEqual([...peaks.channels[1].high].map((value) => value.toFixed(2)), ["0.00", "0.25"]);
});

test("what is no outline is refused in words", () => {
  assert.throws(() => new Peaks(new ArrayBuffer(0), 2), /no outline/);
  assert.throws(() => new Peaks(new TextEncoder().encode("<!doctype html>").buffer, 2), /no outline/);
});

test("the words that sound at a time are found, also of two who speak at once", () => {
  const words = [["Hello", 1, 1.4], ["there", 1.4, 2], ["wait", 1.5, 1.8], ["yes", 5, 5.2]].map(([text, start, end]) => ({ text, start, end }));
  const at = (seconds) => wordsAt(words, seconds).map(({ text }) => text).sort();
  assert.deepEqual([0.5, 1, 1.4, 1.6, 1.9, 3, 5.1, 9].map(at), [[], ["Hello"], ["there"], ["there", "wait"], ["there"], [], ["yes"], []]);
});
