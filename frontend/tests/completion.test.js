import assert from "node:assert/strict";
import { test } from "node:test";
import { offered, pathTo } from "../yaml/completion.js";

const SCHEMA = {
  properties: {
    prompt: { type: "string", title: "Prompt" },
    voice: { $ref: "#/$defs/Voice" },
    tools: { items: { type: "string", examples: ["book"] } },
    flow: { anyOf: [{ $ref: "#/$defs/Flow" }, { type: "null" }] },
  },
  $defs: {
    Voice: { properties: { speed: {}, connection: { examples: ["local"] } } },
    Flow: { properties: { steps: { items: { oneOf: [{ $ref: "#/$defs/Say" }, { $ref: "#/$defs/End" }] } } } },
    Say: { properties: { kind: { const: "say" }, interruptible: { type: "boolean" } } },
    End: { properties: { kind: { const: "end" }, reason: {} } },
  },
};

const labels = (text) => offered(SCHEMA, text.split("\n"))?.options.map(({ label }) => label);
const path = (text) => pathTo(text.split("\n"), text.split("\n").at(-1).length).join(".");

test("the settings around a place are found by its indentation", () => {
  assert.equal(path("voice:\n  "), "voice");
  assert.equal(path("voice:\n  speed: 1\n"), "");
  assert.equal(path("tools:\n- "), "tools.*");
  assert.equal(path("flow:\n  steps:\n  - kind: say\n    "), "flow.steps.*");
  assert.equal(path("flow:\n  steps:\n  - kind: say\n    say: x\n  - "), "flow.steps.*");
  assert.equal(path("flow:\n  steps:\n    - slots:\n        - name: a\n          "), "flow.steps.*.slots.*");
});

test("what can stand there is offered", () => {
  assert.deepEqual(labels("pro"), ["prompt", "voice", "tools", "flow"]);
  assert.deepEqual(labels("voice:\n  s"), ["speed", "connection"]);
  assert.deepEqual(labels("voice:\n  connection: "), ["local"]);
  assert.deepEqual(labels("tools:\n- "), ["book"]);
  assert.deepEqual(labels("flow:\n  steps:\n  - kind: "), ["say", "end"]);
  assert.deepEqual(labels("flow:\n  steps:\n  - kind: say\n    "), ["kind", "interruptible", "reason"]);
  assert.deepEqual(labels("flow:\n  steps:\n  - interruptible: "), ["true", "false"]);
});

test("nothing is offered inside of words", () => {
  assert.equal(labels("prompt: say hello to "), undefined);
});
