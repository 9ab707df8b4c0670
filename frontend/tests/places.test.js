import assert from "node:assert/strict";
import { test } from "node:test";
import { yamlLanguage } from "@codemirror/lang-yaml";
import { find } from "../yaml/places.js";

const TEXT = `# An agent
name: A
voice:
  speed: 1.5
  fallbacks:
  - connection: x
    id: y
  - {connection: z, id: w}
languages: [de, fr]
"model":
  connection: local
flow:
  steps:
    - kind: say
      say: |
        name: nobody
    -
      kind: end
`;

function found(path, text = TEXT) {
  const place = find(yamlLanguage.parser.parse(text), path, (from, to) => text.slice(from, to));
  return place && text.slice(place.from, place.to);
}

test("a setting is found by its path", () => {
  assert.equal(found("name"), "name: A");
  assert.equal(found("voice.speed"), "speed: 1.5");
  assert.equal(found("model.connection"), "connection: local");
});

test("items of lists are found by their numbers, in either way of writing", () => {
  assert.equal(found("voice.fallbacks.0.id"), "id: y");
  assert.equal(found("voice.fallbacks.1.id"), "id: w");
  assert.equal(found("languages.1"), "fr");
  assert.equal(found("flow.steps.1"), "kind: end");
});

test("of a setting that is left out, what is around it is found", () => {
  assert.equal(found("flow.steps.1.reason"), "kind: end");
  assert.equal(found("languages.7"), "languages: [de, fr]");
  assert.equal(found("prompt"), null);
  assert.equal(found("prompt", ""), null);
});

test("what a text says is no setting", () => {
  assert.match(found("flow.steps.0.say"), /^say: \|/);
  assert.equal(found("flow.steps.0.say.name"), found("flow.steps.0.say"));
});
