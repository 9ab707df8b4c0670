import assert from "node:assert/strict";
import { test } from "node:test";
import { BUDGET, clock, duration, summary, verdict, waterfall } from "../call/latency.js";

const turn = { turn: 1, total: 0.612, end_of_turn: 0.18, stt: 0.04, llm: 0.24, tts: 0.095, playout: 0.057, spans: [] };

test("a turn's latency reads as a sum", () => {
  assert.equal(summary(turn), "612 ms = EOT 180 · STT 40 · LLM 240 · TTS 95 · playout 57");
});

test("parts that a turn did not have are left out", () => {
  assert.equal(summary({ ...turn, total: 0.392, end_of_turn: 0, stt: 0 }), "392 ms = LLM 240 · TTS 95 · playout 57");
  assert.equal(summary({ total: 0.3 }), "300 ms");
});

test("the verdict is a word and a shape as well as a colour", () => {
  const verdicts = [BUDGET.quick, BUDGET.fair, BUDGET.fair + 0.001].map(verdict);
  assert.deepEqual(verdicts.map(({ word }) => word), ["quick", "fair", "slow"]);
  assert.equal(new Set(verdicts.map(({ shape }) => shape)).size, 3);
  assert.equal(new Set(verdicts.map(({ tone }) => tone)).size, 3);
});

test("the waterfall puts spans on one axis", () => {
  const spans = [
    { name: "end_of_turn", start: 10, end: 10.2, detail: "smart-turn: finished" },
    { name: "llm", start: 10.1, end: 10.4, detail: "" },
    { name: "tool", start: 10.2, end: 10.3, detail: "book" },
    { name: "playout", start: 10.5, end: 11, detail: "" },
  ];
  const bars = waterfall({ ...turn, spans });
  assert.deepEqual(bars.map(({ label }) => label), ["End of turn", "Model", "Tool", "Playout"]);
  assert.deepEqual(bars.map(({ left }) => Math.round(left)), [0, 10, 20, 50]);
  assert.deepEqual(bars.map(({ width }) => Math.round(width)), [20, 30, 10, 50]);
  assert.equal(bars[0].detail, "smart-turn: finished");
  assert.ok(bars[1].detail, "a span without words of its own says what its part means");
});

test("without spans the parts follow each other", () => {
  const bars = waterfall(turn);
  assert.equal(bars.length, 5);
  assert.equal(Math.round(bars[4].left + bars[4].width), 100);
  assert.ok(Math.abs(bars[2].offset - 0.22) < 1e-9);
});

test("times read as the server writes them", () => {
  assert.deepEqual([0.84, 12.3, 12, 75, 0.9996].map(duration), ["840 ms", "12.3 s", "12 s", "1 min 15 s", "1 s"]);
  assert.deepEqual([4.2, 75, 3725, -1].map(clock), ["0:04", "1:15", "1:02:05", "0:00"]);
});
