// Draws the entries of a Transcript into a list, from <template data-template> elements of the panel. What has not changed is not
// touched, so that what somebody has opened, selected or focused stays so.

import { duration, summary, verdict, waterfall } from "./latency.js";

const NEAR_THE_END = 80; // pixels from the bottom within which the list follows what is said

export class TranscriptView {
  /** @param {HTMLElement} root the panel @param {import("./transcript.js").Transcript} transcript */
  constructor(root, transcript) {
    this.root = root;
    this.transcript = transcript;
    this.list = root.querySelector("[data-transcript]");
    this.body = root.querySelector("[data-body]");
    this.latest = root.querySelector('[data-do="latest"]');
    this.announcer = root.querySelector("[data-announce]");
    this.elements = new Map();
    this.list.replaceChildren();
    this.following = true;
    this.body.onscroll = () => this.#scrolled();
    this.resizing = new ResizeObserver(() => this.#settle());
    this.resizing.observe(this.body);
  }

  /** Another view takes over. */
  close() {
    this.resizing.disconnect();
  }

  /** @param {Iterable<object>} entries those that changed */
  update(entries) {
    for (const entry of entries) this.#draw(entry);
    this.#settle();
  }

  toLatest() {
    this.following = true;
    this.#settle();
  }

  /** Who scrolls up to read is left there, and offered a way back. */
  #settle() {
    if (this.following) this.body.scrollTop = this.body.scrollHeight;
    this.latest.hidden = this.following;
  }

  #scrolled() {
    this.following = this.body.scrollHeight - this.body.scrollTop - this.body.clientHeight < NEAR_THE_END;
    this.latest.hidden = this.following;
  }

  #draw(entry) {
    let element = this.elements.get(entry.key);
    if (entry.removed || !this.transcript.visible(entry)) {
      element?.remove();
      this.elements.delete(entry.key);
      return;
    }
    if (!element) {
      element = clone(this.root, entry.kind);
      this.elements.set(entry.key, element);
      this.#place(entry, element);
    }
    this[entry.kind](element, entry);
    if (entry.final && !entry.announced) this.#announce(entry);
  }

  /** Put it before the next entry that is drawn. */
  #place(entry, element) {
    const { entries } = this.transcript;
    const next = entries.slice(entries.indexOf(entry) + 1).find(({ key }) => this.elements.has(key));
    this.list.insertBefore(element, next ? this.elements.get(next.key) : null);
  }

  #announce(entry) {
    entry.announced = true;
    const words = entry.kind === "caller" ? entry.firm : entry.parts.flatMap((part) => part.heard ?? []).join(" ");
    if (!words) return;
    const line = document.createElement("p");
    line.textContent = `${entry.kind === "caller" ? "You" : this.root.dataset.agent}: ${words}`;
    this.announcer.append(line);
    while (this.announcer.childElementCount > 4) this.announcer.firstElementChild.remove();
  }

  caller(element, entry) {
    const { firm, partial, source, final } = entry;
    setText(element, "[data-firm]", firm);
    setText(element, "[data-partial]", partial);
    element.querySelector("[data-typed-mark]").hidden = source !== "typed";
    element.querySelector("[data-keypad-mark]").hidden = source !== "keypad";
    element.dataset.final = String(final);
  }

  agent(element, entry) {
    const holder = element.querySelector("[data-parts]");
    entry.parts.forEach((part, index) => {
      const child = holder.children[index] ?? holder.appendChild(clone(this.root, part.kind));
      if (part.kind === "tool") drawTool(child, part);
      else this.#drawWords(child, part, entry.interrupted && index === entry.parts.length - 1);
    });
    element.dataset.final = String(entry.final);
    if (entry.latency && element.latency !== entry.latency) {
      element.latency = entry.latency;
      const old = element.querySelector("details.latency");
      const drawn = drawLatency(this.root, entry.latency);
      drawn.open = Boolean(old?.open);
      element.querySelector("[data-latency]").replaceChildren(drawn);
    }
  }

  #drawWords(element, { heard, pending, unheard }, interrupted) {
    setText(element, "[data-heard]", heard.join(" "));
    setText(element, "[data-pending]", pending.join(" "));
    setText(element, "[data-unheard]", unheard.join(" "));
    element.querySelector("[data-unheard]").hidden = unheard.length === 0;
    element.querySelector("[data-cut]").hidden = !(interrupted || unheard.length);
  }

  knowledge(element, { query, passages, took }) {
    setText(element, "[data-found]", `${passages.length} passage${passages.length === 1 ? "" : "s"} of the knowledge base`);
    setText(element, "[data-took]", duration(took));
    setText(element, "[data-query]", query);
    const lines = passages.map(({ text, source, score }) => {
      const line = document.createElement("li");
      const from = document.createElement("p");
      from.className = "text-xs text-muted";
      from.textContent = score === undefined ? source : `${source} · ${Math.round(score * 100)} %`;
      const words = document.createElement("p");
      words.textContent = text;
      line.append(from, words);
      return line;
    });
    element.querySelector("[data-passages]").replaceChildren(...lines);
  }

  note(element, { icon, tone, text, detail = "" }) {
    element.dataset.tone = tone;
    setText(element, "[data-text]", text);
    setText(element, "[data-detail-text]", detail);
    element.querySelector("[data-detail]").hidden = !detail;
    const place = element.querySelector("[data-icon]");
    if (place.dataset.icon === icon) return;
    place.dataset.icon = icon;
    place.replaceChildren(clone(this.root, `icon-${icon}`));
  }
}

/** A copy of the panel's template of this name. */
export function clone(root, name) {
  const template = root.querySelector(`template[data-template="${name}"]`);
  return document.importNode(template.content, true).firstElementChild;
}

export function setText(element, selector, text) {
  const target = element.querySelector(selector);
  if (target.textContent !== text) target.textContent = text;
}

const TOOL_STATES = { running: "running…", done: "done", failed: "failed" };

function drawTool(element, { name, arguments: given, state, result, error, took }) {
  setText(element, "[data-name]", name);
  setText(element, "[data-tool-state]", TOOL_STATES[state]);
  setText(element, "[data-took]", took === undefined ? "" : duration(took));
  setText(element, "[data-arguments]", JSON.stringify(given, null, 2));
  setText(element, "[data-answer-label]", error ? "Error" : "Result");
  setText(element, "[data-answer]", error || result || (state === "running" ? "…" : ""));
  element.classList.toggle("tool-card-failed", state === "failed");
}

function drawLatency(root, latency) {
  const element = clone(root, "latency");
  const { word, shape, tone } = verdict(latency.total);
  setText(element, "[data-shape]", shape);
  setText(element, "[data-word]", word);
  const [total, sum] = summary(latency).split(" = ");
  setText(element, "[data-total]", total);
  setText(element, "[data-sum]", sum ? `= ${sum}` : "");
  element.querySelector(".latency-chip").classList.add(tone);
  const rows = element.querySelector("[data-rows]");
  for (const bar of waterfall(latency)) {
    const row = clone(root, "latency-row");
    setText(row, "[data-label]", bar.label);
    setText(row, "[data-took]", duration(bar.length));
    row.title = bar.detail;
    const svg = row.querySelector("svg");
    svg.setAttribute("aria-label", `from ${duration(bar.offset)} to ${duration(bar.offset + bar.length)}`);
    const rect = svg.querySelector("rect");
    rect.setAttribute("x", `${bar.left}%`);
    rect.setAttribute("width", `${Math.max(bar.width, 0.5)}%`);
    rect.setAttribute("class", bar.fill);
    rows.append(row);
  }
  return element;
}
