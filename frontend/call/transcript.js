// The conversation as it is shown, computed from the call's events. Knows nothing of the page: see transcript-view.js.
//
// Entries, in the order in which they are shown:
//   {kind: "caller", turn, firm, partial, final, source}       words so far are `firm` then `partial`; `firm` alone once final
//   {kind: "agent", turn, parts, final, interrupted, latency}  parts: {kind: "words", heard, pending, unheard} and {kind: "tool", ...}
//   {kind: "knowledge", query, passages, took}                 what the knowledge base gave for a turn
//   {kind: "note", icon, tone, text, detail}

import { note } from "./words.js";

const split = (text) => text.split(/\s+/).filter(Boolean);
// A phrase put in at once ("one moment, please") is heard without having been announced, so a word that was heard
// is looked for among the next few announced ones only.
const LOOK_AHEAD = 4;

export class Transcript {
  constructor() {
    this.entries = [];
    this.nextKey = 0;
  }

  /** @returns {Set<object>} the entries that changed; removed ones have `removed` set */
  apply(event) {
    this.changed = new Set();
    this[event.type]?.(event);
    const remark = note(event);
    if (remark) this.#append({ kind: "note", ...remark });
    return this.changed;
  }

  /** Add what the page itself has to say. @returns {Set<object>} the entries that changed */
  remark(text, tone = "quiet", icon = "info") {
    this.changed = new Set();
    this.#append({ kind: "note", icon, tone, text });
    return this.changed;
  }

  /** @returns {Set<object>} the entries that changed */
  latency(measured) {
    this.changed = new Set();
    const entry = this.entries.find(({ kind, turn }) => kind === "agent" && turn === measured.turn);
    this.#touch(entry ?? this.#reply(measured.turn)).latency = measured;
    return this.changed;
  }

  // --- the caller

  "caller.partial"({ turn, text }) {
    const entry = this.#caller(turn);
    if (entry.final) return;
    // Words that a pause has confirmed stay solid; what was recognised since is still moving.
    entry.firm = text.startsWith(entry.firm) ? entry.firm : "";
    entry.partial = text.slice(entry.firm.length).trim();
  }

  "caller.segment"({ turn, text }) {
    if (!text) return;
    const entry = this.#caller(turn);
    if (!entry.final) Object.assign(entry, { firm: text, partial: "" });
  }

  "caller.turn"({ turn, text, source }) {
    for (const entry of this.#open("agent").filter((entry) => entry.turn < turn)) this.#abandon(entry);
    const said = source === "keypad" ? text.replace(/^\[keyed in: (.*)\]$/, "$1") : text;
    Object.assign(this.#caller(turn), { firm: said, partial: "", final: true, source });
  }

  "caller.interruption_ignored"() {
    for (const entry of this.#open("caller")) this.#remove(entry);
  }

  // --- the agent

  "model.requested"({ turn }) {
    this.#unprepare(turn);
  }

  "model.finished"({ turn, finish }) {
    if (finish === "cancelled") this.#unprepare(turn);
  }

  /** The caller went on speaking: what was prepared for their words so far is not said. */
  #unprepare(turn) {
    const prepared = this.#open("agent").filter((entry) => entry.turn === turn && !entry.started && !uses(entry, "tool"));
    for (const entry of prepared) this.#abandon(entry);
  }

  "speech.requested"({ turn, text }) {
    words(this.#reply(turn)).pending.push(...split(text));
  }

  "agent.speech_started"({ turn }) {
    this.#reply(turn).started = true;
  }

  "agent.heard"({ turn, words: told }) {
    const entry = this.#reply(turn);
    entry.started = true;
    for (const { text } of told) hear(entry, text);
  }

  "agent.turn"({ turn, text, interrupted, unheard }) {
    const entry = this.#reply(turn);
    const known = entry.parts.reduce((sum, part) => sum + (part.heard?.length ?? 0), 0);
    for (const word of split(text).slice(known)) hear(entry, word);
    for (const part of entry.parts) if (part.kind === "words") part.pending = [];
    if (unheard) words(entry).unheard = split(unheard);
    Object.assign(entry, { started: true, final: true, interrupted: Boolean(interrupted) });
  }

  "tool.called"({ turn, tool_call: id, name, arguments: given }) {
    this.#reply(turn).parts.push({ kind: "tool", id, name, arguments: given, state: "running" });
  }

  "tool.returned"({ turn, tool_call: id, name, result, error, took }) {
    const holder = this.entries.find((entry) => entry.parts?.some((part) => part.id === id));
    const { parts } = holder ? this.#touch(holder) : this.#reply(turn);
    let part = parts.find((candidate) => candidate.id === id);
    if (!part) parts.push((part = { kind: "tool", id, name, arguments: {} }));
    Object.assign(part, { state: error ? "failed" : "done", result, error, took });
  }

  "knowledge.searched"({ query, passages, took }) {
    this.#append({ kind: "knowledge", query, passages, took });
  }

  "call.ended"() {
    for (const entry of this.#open("agent")) this.#abandon(entry);
    for (const entry of this.#open("caller")) {
      this.#touch(entry).final = true;
      entry.firm = [entry.firm, entry.partial].filter(Boolean).join(" ");
      entry.partial = "";
    }
  }

  // --- entries

  /** An answer prepared for words that may not be the last is kept from view until it is certain. */
  visible(entry) {
    if (entry.kind !== "agent" || entry.turn === 0 || entry.started) return true;
    return this.entries.some(({ kind, turn, final }) => kind === "caller" && turn === entry.turn && final);
  }

  #open(kind) {
    return this.entries.filter((entry) => entry.kind === kind && !entry.final);
  }

  #caller(turn) {
    const found = this.entries.find((entry) => entry.kind === "caller" && entry.turn === turn);
    const answer = this.entries.find((entry) => entry.kind === "agent" && entry.turn === turn);
    if (answer) this.changed.add(answer); // whether it is shown depends on the caller's words
    if (found) return this.#touch(found);
    return this.#append({ kind: "caller", turn, firm: "", partial: "", final: false, source: "speech" }, answer);
  }

  /** The reply that is being made in a turn; after its end another may follow ("are you still there?"). */
  #reply(turn) {
    const found = this.#open("agent").find((entry) => entry.turn === turn);
    if (found) return this.#touch(found);
    return this.#append({ kind: "agent", turn, parts: [], started: false, final: false, interrupted: false });
  }

  /** A reply that will not go on: gone if nothing came of it, else ended as far as it got. */
  #abandon(entry) {
    this.#touch(entry);
    if (!entry.started && !uses(entry, "tool")) return this.#remove(entry);
    for (const part of entry.parts) if (part.kind === "words") part.pending = [];
    entry.final = true;
    return undefined;
  }

  #append(entry, before) {
    entry.key = this.nextKey++;
    this.entries.splice(before ? this.entries.indexOf(before) : this.entries.length, 0, entry);
    return this.#touch(entry);
  }

  #remove(entry) {
    this.entries.splice(this.entries.indexOf(entry), 1);
    entry.removed = true;
    this.#touch(entry);
  }

  #touch(entry) {
    this.changed.add(entry);
    return entry;
  }
}

const uses = (entry, kind) => entry.parts.some((part) => part.kind === kind);

/** The words at the end of a reply; after a tool card a new group begins. */
function words(entry) {
  const last = entry.parts.at(-1);
  if (last?.kind === "words") return last;
  const part = { kind: "words", heard: [], pending: [], unheard: [] };
  entry.parts.push(part);
  return part;
}

/** Move a word from announced to heard, in the first group that still waits for words. */
function hear(entry, text) {
  const groups = entry.parts.filter(({ kind }) => kind === "words");
  const group = groups.find(({ pending }) => pending.length) ?? groups.at(-1) ?? words(entry);
  const place = group.pending.slice(0, LOOK_AHEAD).indexOf(text);
  if (place >= 0) group.pending.splice(0, place + 1);
  group.heard.push(text);
}
