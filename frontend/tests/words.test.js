import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Transcript } from "../call/transcript.js";
import { note, transferred } from "../call/words.js";

const TYPES = [...readFileSync("docs/events.md", "utf8").matchAll(/^### `([\w.]+)`/gm)].map((match) => match[1]);
// What the panel shows otherwise (its own frame, the words themselves), or leaves to the call's page.
const SILENT = [
  "call.started", "caller.speech_started", "caller.speech_stopped", "turn.decision", "caller.listening_finished", "caller.digit",
  "model.first_token", "speech.first_audio", "speech.finished", "transfer.finished", "agent.hesitated",
];
const FIELDS = {
  role: "llm", provider: "Groq", waited: 2, error: "No answer.", then: "asking again", step: "check_in", silent_for: 12, reason: "backchannel",
  text: "mm-hm", verdict: "human", data: { a: 1 }, digits: "42#", name: "language", value: "es", by: "lookup", claim: "booked", level: "warning",
  agent: "Billing", message: "", to: "+14155550100", warm: false, outcome: "transferred", detail: "",
};

test("every kind of event leaves words, moves the transcript, or is left out on purpose", () => {
  const shown = (type) => type in Transcript.prototype || note({ ...FIELDS, type })?.text;
  assert.ok(TYPES.length > 30);
  assert.deepEqual(TYPES.filter((type) => !shown(type) && !SILENT.includes(type)), []);
});

test("a transfer says where the caller would be on a phone", () => {
  assert.equal(transferred("+14155550100", "Front_desk"), "On a phone you would be transferred to Front_desk (+14155550100) now.");
  assert.equal(note({ type: "transfer.finished", to: "+1", outcome: "failed", detail: "Busy." }).text, "The transfer to +1 failed (Busy).");
});

test("keys are shown as they were pressed, and what was found is a card of its own", () => {
  const transcript = new Transcript();
  transcript.apply({ type: "caller.turn", turn: 1, text: "[keyed in: 42]", source: "keypad" });
  transcript.apply({ type: "knowledge.searched", turn: 1, query: "42", passages: [{ text: "A", source: "f.pdf", score: 0.8 }], took: 0.1 });
  assert.deepEqual(transcript.entries.map(({ kind }) => kind), ["caller", "knowledge"]);
  assert.equal(transcript.entries[0].firm, "42");
});

test("what an application sends opens to its data", () => {
  assert.equal(note({ type: "caller.message", data: { seat: 4 } }).detail, '{\n  "seat": 4\n}');
});
