import assert from "node:assert/strict";
import { test } from "node:test";
import { explain } from "../call/microphone.js";

const here = { secure: true, origin: "http://localhost:8000" };

test("every refusal says what happened, what it means and what to do", () => {
  const titles = ["NotAllowedError", "NotFoundError", "NotReadableError", "SomethingNewError"].map((name) => {
    const { title, meaning, action } = explain({ name, message: "m" }, here);
    assert.ok(title && meaning && action);
    return title;
  });
  assert.equal(new Set(titles).size, 4);
});

test("an address without https is the reason, whatever the browser threw", () => {
  const { title, meaning } = explain({ name: "TypeError" }, { secure: false, origin: "http://192.168.1.7:8000" });
  assert.match(title, /address/);
  assert.match(meaning, /http:\/\/192\.168\.1\.7:8000/);
});

test("an unknown failure passes on the browser's words", () => {
  assert.match(explain({ name: "OddError", message: "The moon is full" }, here).meaning, /The moon is full/);
});
