import assert from "node:assert/strict";
import { test } from "node:test";
import { Transcript } from "../call/transcript.js";

const heard = (turn, text) => ({ type: "agent.heard", turn, words: text.split(" ").map((word) => ({ text: word, start: 0, end: 0 })) });
const asked = (turn, text) => ({ type: "caller.turn", turn, text, source: "speech", started: 0, ended: 1 });
const says = (turn, text) => ({ type: "speech.requested", turn, request: "r", text });

function play(...events) {
  const transcript = new Transcript();
  for (const event of events) transcript.apply(event);
  return transcript;
}
/** The entries as short lines: [heard] (pending) ~unheard~. */
function lines(transcript) {
  return transcript.entries.filter((entry) => transcript.visible(entry)).map((entry) => {
    if (entry.kind === "note") return `note: ${entry.text}`;
    if (entry.kind === "caller") return `caller: [${entry.firm}] (${entry.partial})`;
    const parts = entry.parts.map((part) =>
      part.kind === "tool" ? `tool ${part.name} ${part.state}` : `[${part.heard.join(" ")}] (${part.pending.join(" ")}) ~${part.unheard.join(" ")}~`);
    return `agent: ${parts.join(" | ")}`;
  });
}

test("the caller's words are provisional, then firm", () => {
  const transcript = play({ type: "caller.partial", turn: 1, text: "what are" });
  assert.deepEqual(lines(transcript), ["caller: [] (what are)"]);
  transcript.apply({ type: "caller.segment", turn: 1, text: "What are you" });
  assert.deepEqual(lines(transcript), ["caller: [What are you] ()"]);
  transcript.apply({ type: "caller.partial", turn: 1, text: "What are you open on" });
  assert.deepEqual(lines(transcript), ["caller: [What are you] (open on)"]);
  transcript.apply(asked(1, "What are your opening hours?"));
  assert.deepEqual(lines(transcript), ["caller: [What are your opening hours?] ()"]);
});

test("the agent's words turn solid as they are heard", () => {
  const transcript = play(says(0, "Hello there, how can I help?"), { type: "agent.speech_started", turn: 0 });
  assert.deepEqual(lines(transcript), ["agent: [] (Hello there, how can I help?) ~~"]);
  transcript.apply(heard(0, "Hello there,"));
  assert.deepEqual(lines(transcript), ["agent: [Hello there,] (how can I help?) ~~"]);
  transcript.apply({ type: "agent.turn", turn: 0, text: "Hello there, how can I help?", interrupted: false, unheard: "" });
  assert.deepEqual(lines(transcript), ["agent: [Hello there, how can I help?] () ~~"]);
  assert.equal(transcript.entries[0].final, true);
});

test("an interruption leaves what was not heard struck out", () => {
  const transcript = play(asked(1, "Hi"), says(1, "We are open from nine to five."), heard(1, "We are open"));
  transcript.apply({ type: "agent.turn", turn: 1, text: "We are open from", interrupted: true, unheard: "nine to five." });
  assert.deepEqual(lines(transcript), ["caller: [Hi] ()", "agent: [We are open from] () ~nine to five.~"]);
  assert.equal(transcript.entries[1].interrupted, true);
});

test("an answer prepared early is hidden until the caller has finished, and stands below", () => {
  const transcript = play(says(1, "Sure."), { type: "caller.partial", turn: 1, text: "can you" });
  assert.deepEqual(lines(transcript), ["caller: [] (can you)"]);
  const changed = transcript.apply(asked(1, "Can you?"));
  assert.deepEqual(lines(transcript), ["caller: [Can you?] ()", "agent: [] (Sure.) ~~"]);
  assert.ok([...changed].some(({ kind }) => kind === "agent"), "the answer is told to have changed");
});

test("an answer prepared for words that were not the last is forgotten", () => {
  for (const event of [{ type: "model.finished", turn: 1, finish: "cancelled" }, { type: "model.requested", turn: 1 }]) {
    const transcript = play(says(1, "Sure."), event, says(1, "Of course."), asked(1, "Can you, please?"));
    assert.deepEqual(lines(transcript), ["caller: [Can you, please?] ()", "agent: [] (Of course.) ~~"]);
  }
});

test("an answer that was overtaken before it was heard disappears", () => {
  const transcript = play(asked(1, "Hi"), says(1, "Hello."), asked(2, "Actually, when?"), says(2, "At nine."));
  assert.deepEqual(lines(transcript), ["caller: [Hi] ()", "caller: [Actually, when?] ()", "agent: [] (At nine.) ~~"]);
});

test("a tool stands between the words before and after it", () => {
  const transcript = play(
    asked(1, "Book it"), says(1, "Let me see."), { type: "tool.called", turn: 1, tool_call: "t1", name: "book", arguments: { at: 9 } },
    heard(1, "Let me"), says(1, "Done."), { type: "tool.returned", turn: 1, tool_call: "t1", name: "book", result: "ok", error: "", took: 0.2 },
    heard(1, "see. Done."),
  );
  assert.deepEqual(lines(transcript)[1], "agent: [Let me see.] () ~~ | tool book done | [Done.] () ~~");
  transcript.apply({ type: "agent.turn", turn: 1, text: "Let me see. Done.", interrupted: false, unheard: "" });
  assert.deepEqual(lines(transcript)[1], "agent: [Let me see.] () ~~ | tool book done | [Done.] () ~~");
});

test("a tool that fails says so, even when its answer comes after the turn", () => {
  const transcript = play(
    { type: "tool.called", turn: 1, tool_call: "t1", name: "book", arguments: {} },
    { type: "agent.turn", turn: 1, text: "One moment.", interrupted: true, unheard: "" },
    { type: "tool.returned", turn: 1, tool_call: "t1", name: "book", result: "", error: "No seats.", took: 2 },
  );
  assert.deepEqual(lines(transcript), ["agent: tool book failed | [One moment.] () ~~"]);
  assert.equal(transcript.entries[0].parts[0].error, "No seats.");
});

test("a phrase put in at once does not eat the words that were announced", () => {
  const transcript = play(asked(1, "Hi"), says(1, "It is nine."), heard(1, "One moment, please."), heard(1, "It is"));
  assert.deepEqual(lines(transcript)[1], "agent: [One moment, please. It is] (nine.) ~~");
});

test("a second thing said in a turn is an entry of its own", () => {
  const transcript = play(
    asked(1, "Hi"), says(1, "Hello."), { type: "agent.turn", turn: 1, text: "Hello.", unheard: "" },
    { type: "call.inactive", step: "check_in", silent_for: 12 }, says(1, "Still there?"),
  );
  assert.deepEqual(lines(transcript).slice(1), ["agent: [Hello.] () ~~", "note: Silence for 12 s: the agent asks whether you are there.", "agent: [] (Still there?) ~~"]);
  transcript.latency({ turn: 1, total: 0.6 });
  assert.equal(transcript.entries[1].latency.total, 0.6, "the latency is that of the answer");
});

test("a cough leaves a note and no words of the caller", () => {
  const transcript = play(says(0, "Hello."), { type: "caller.partial", turn: 1, text: "mm" });
  const changed = transcript.apply({ type: "caller.interruption_ignored", turn: 1, text: "Mm-hm.", reason: "backchannel" });
  assert.equal(lines(transcript).length, 2);
  assert.match(lines(transcript)[1], /note: “Mm-hm.” was taken as listening along/);
  assert.ok([...changed].some(({ removed }) => removed));
});

test("trouble is said in words", () => {
  const transcript = play(
    { type: "provider.slow", turn: 1, role: "llm", provider: "local", waited: 2.5 },
    { type: "provider.failed", turn: 1, role: "tts", provider: "kokoro", error: "Queue full", then: "speaking with piper" },
  );
  assert.deepEqual(lines(transcript), [
    "note: The language model (local) is slow: waiting for 2.5 s.",
    "note: The voice (kokoro) failed: Queue full. Speaking with piper.",
  ]);
});

test("the end of the call leaves nothing provisional", () => {
  const transcript = play(asked(1, "Hi"), says(1, "Hello there"), heard(1, "Hello"), { type: "caller.partial", turn: 2, text: "wait" }, { type: "call.ended", reason: "caller_ended" });
  assert.deepEqual(lines(transcript), ["caller: [Hi] ()", "agent: [Hello] () ~~", "caller: [wait] ()"]);
});

test("unknown events change nothing", () => {
  assert.equal(new Transcript().apply({ type: "from.the.future", at: 1 }).size, 0);
});
