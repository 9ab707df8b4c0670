// <flow-canvas>: a flow as a picture. Steps are buttons on a plane that is moved and scaled; the ways between them are lines below.
// Says `flow-select`, `flow-move` {id, position} and `flow-connect` {from, to}, all with detail; with the attribute `readonly`
// nothing can be moved or connected.
import { HEIGHT, layout, WIDTH } from "./layout.js";
import { exits, firstOf, KINDS, preview, titleOf } from "./model.js";

const SVG = "http://www.w3.org/2000/svg";
const LEAST = 0.2;
const MOST = 1.8;

function element(tag, className, ...children) {
  const made = document.createElement(tag);
  made.className = className;
  made.append(...children);
  return made;
}

function line(tag, attributes) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

export class FlowCanvas extends HTMLElement {
  connectedCallback() {
    if (this.plane) return;
    this.lines = line("svg", { class: "flow-lines", "aria-hidden": "true" });
    this.pills = element("div", "flow-pills");
    this.cards = element("div", "flow-cards");
    this.plane = element("div", "flow-plane", this.lines, this.pills, this.cards);
    this.map = line("svg", { class: "flow-map", "aria-hidden": "true" });
    this.view = { x: 0, y: 0, scale: 1 };
    this.nodes = new Map();
    this.append(this.plane, this.map);
    this.addEventListener("pointerdown", (event) => this.#grab(event));
    this.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    this.map.addEventListener("pointerdown", (event) => this.#jump(event));
    new ResizeObserver(() => this.#drawMap()).observe(this);
  }

  // --- drawing

  /** @param icons the SVG of each kind, as elements to copy */
  show(flow, { selected, running, icons }) {
    this.flow = flow;
    this.places = layout(flow);
    const first = firstOf(flow);
    const kept = new Set(flow.steps.map(({ id }) => id));
    for (const [id, card] of this.nodes) if (!kept.has(id)) (card.remove(), this.nodes.delete(id));
    for (const step of flow.steps) this.#card(step, { first: step === first, selected: step.id === selected, running: step.id === running, icons });
    for (const { id } of flow.steps) if (this.cards.children.length && this.nodes.get(id) !== this.cards.children[flow.steps.findIndex((one) => one.id === id)]) this.#reorder();
    this.#drawLines();
    this.#drawMap();
    if (!this.fitted) this.fit();
  }

  #reorder() {
    const focused = document.activeElement;
    for (const { id } of this.flow.steps) this.cards.append(this.nodes.get(id));
    if (this.contains(focused)) focused.focus({ preventScroll: true });
  }

  #card(step, { first, selected, running, icons }) {
    let card = this.nodes.get(step.id);
    if (!card) {
      card = element("button", "flow-card");
      card.type = "button";
      card.dataset.step = step.id;
      this.nodes.set(step.id, card);
      this.cards.append(card);
    }
    const { title, tone } = KINDS[step.kind];
    const ways = exits(step).filter(({ to }) => to);
    const leads = ways.map(({ label, to }) => `${label ? `${label}: ` : ""}${this.#title(to)}`).join("; ");
    card.setAttribute("aria-label", [`${titleOf(step)}, ${title}`, first && "the first step", running && "running now", leads ? `leads to ${leads}` : "leads nowhere"].filter(Boolean).join(", "));
    card.setAttribute("aria-pressed", String(selected));
    card.dataset.tone = tone;
    card.toggleAttribute("data-first", first);
    card.toggleAttribute("data-running", running);
    const head = element("span", "flow-card-head", icons[step.kind].cloneNode(true), element("b", "truncate", titleOf(step)));
    if (first) head.append(element("span", "flow-badge", "start"));
    if (running) head.append(element("span", "flow-badge flow-badge-live", "now"));
    card.replaceChildren(head, element("span", "flow-card-text", preview(step)));
    if (!this.#readonly) card.append(this.#port(step.id));
    const { x, y } = this.places.get(step.id);
    card.style.translate = `${x}px ${y}px`;
  }

  get #readonly() {
    return this.hasAttribute("readonly");
  }

  /** What is dragged to the step that comes next. */
  #port(id) {
    const port = element("span", "flow-port");
    port.dataset.port = id;
    port.title = "Drag to the step that comes next";
    return port;
  }

  #title(id) {
    const step = this.flow.steps.find((one) => one.id === id);
    return step ? titleOf(step) : `a step that is not there (${id})`;
  }

  #drawLines() {
    const paths = [];
    const pills = [];
    for (const step of this.flow.steps) {
      const ways = exits(step).filter(({ to }) => this.places.has(to));
      ways.forEach(({ label, to }, place) => {
        const { x, y } = this.places.get(step.id);
        const end = this.places.get(to);
        const from = { x: x + (WIDTH * (place + 1)) / (ways.length + 1), y: y + HEIGHT };
        const into = { x: end.x + WIDTH / 2, y: end.y };
        const bend = Math.max(40, Math.abs(into.y - from.y) / 2);
        paths.push(line("path", { d: `M${from.x} ${from.y} C${from.x} ${from.y + bend} ${into.x} ${into.y - bend} ${into.x} ${into.y - 6}`, class: "flow-line" }));
        paths.push(line("path", { d: `M${into.x - 5} ${into.y - 8} L${into.x} ${into.y} L${into.x + 5} ${into.y - 8} Z`, class: "flow-head" }));
        if (!label) return;
        const pill = element("span", "flow-pill", label);
        pill.title = label;
        pill.style.translate = `calc(${(from.x + into.x) / 2}px - 50%) calc(${(from.y + into.y) / 2}px - 50%)`;
        pills.push(pill);
      });
    }
    this.lines.replaceChildren(...paths);
    this.pills.replaceChildren(...pills);
  }

  #bounds() {
    const all = [...this.places.values()];
    const x = Math.min(0, ...all.map((place) => place.x));
    const y = Math.min(0, ...all.map((place) => place.y));
    return { x, y, width: Math.max(WIDTH, ...all.map((place) => place.x + WIDTH - x)) + 24, height: Math.max(HEIGHT, ...all.map((place) => place.y + HEIGHT - y)) + 24 };
  }

  #drawMap() {
    if (!this.places) return;
    const { x, y, width, height } = this.#bounds();
    this.map.setAttribute("viewBox", `${x} ${y} ${width} ${height}`);
    const rects = [...this.places.values()].map((place) => line("rect", { x: place.x, y: place.y, width: WIDTH, height: HEIGHT, rx: 12, class: "flow-map-step" }));
    const { scale } = this.view;
    const window = line("rect", { x: -this.view.x / scale, y: -this.view.y / scale, width: this.clientWidth / scale, height: this.clientHeight / scale, class: "flow-map-view" });
    this.map.replaceChildren(...rects, window);
    this.map.toggleAttribute("data-whole", [...this.places.values()].every((place) => this.#inSight(place)));
  }

  #move(view) {
    this.view = { ...this.view, ...view };
    this.plane.style.transform = `translate(${this.view.x}px, ${this.view.y}px) scale(${this.view.scale})`;
    this.#drawMap();
  }

  /** All of it in sight. */
  fit() {
    if (!this.clientWidth || !this.places) return;
    this.fitted = true;
    const { x, y, width, height } = this.#bounds();
    const scale = Math.max(LEAST, Math.min(1, this.clientWidth / width, this.clientHeight / height));
    this.#move({ scale, x: (this.clientWidth - width * scale) / 2 - x * scale, y: Math.max(0, (this.clientHeight - height * scale) / 2) - y * scale });
  }

  /** Closer (factor above 1) or farther, about a point of the canvas. */
  zoom(factor, at = { x: this.clientWidth / 2, y: this.clientHeight / 2 }) {
    const scale = Math.min(MOST, Math.max(LEAST, this.view.scale * factor));
    const grown = scale / this.view.scale;
    this.#move({ scale, x: at.x - (at.x - this.view.x) * grown, y: at.y - (at.y - this.view.y) * grown });
  }

  /** Have a step in sight. */
  reveal(id) {
    const place = this.places.get(id);
    if (!place) return;
    const { scale } = this.view;
    if (!this.#inSight(place) || this.#isUnderMap(place)) this.#move({ x: this.clientWidth / 2 - (place.x + WIDTH / 2) * scale, y: this.clientHeight / 2 - (place.y + HEIGHT / 2) * scale });
  }

  /** Where a step is drawn, from the canvas's corner. */
  #box({ x, y }) {
    const { scale } = this.view;
    const [left, top] = [x * scale + this.view.x, y * scale + this.view.y];
    return { left, top, right: left + WIDTH * scale, bottom: top + HEIGHT * scale };
  }

  #inSight(place) {
    const { left, top, right, bottom } = this.#box(place);
    return left > -1 && top > -1 && right < this.clientWidth + 1 && bottom < this.clientHeight + 1;
  }

  /** The map lies in the lower left corner. */
  #isUnderMap(place) {
    const { left, bottom } = this.#box(place);
    const map = this.map.getBoundingClientRect();
    const corner = this.getBoundingClientRect();
    return map.width > 0 && left < map.right - corner.left && bottom > map.top - corner.top;
  }

  focusStep(id) {
    this.reveal(id);
    this.nodes.get(id)?.focus({ preventScroll: true });
  }

  /** The nearest step in a direction (dx, dy), "" where there is none. */
  neighbour(id, dx, dy) {
    const here = this.places.get(id);
    let best = "";
    let least = Infinity;
    for (const [other, place] of this.places) {
      const along = (place.x - here.x) * dx + (place.y - here.y) * dy;
      const aside = Math.abs((place.x - here.x) * dy) + Math.abs((place.y - here.y) * dx);
      if (other !== id && along > 1 && along + 2 * aside < least) [best, least] = [other, along + 2 * aside];
    }
    return best;
  }

  // --- the mouse

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail, bubbles: true }));
  }

  #point({ clientX, clientY }) {
    const box = this.getBoundingClientRect();
    return { x: (clientX - box.x - this.view.x) / this.view.scale, y: (clientY - box.y - this.view.y) / this.view.scale };
  }

  #grab(event) {
    if (event.button !== 0 || event.target.closest(".flow-map")) return;
    const port = event.target.closest("[data-port]");
    const card = event.target.closest("[data-step]");
    if (port) this.#pull(event, port.dataset.port);
    else if (card) this.#drag(event, card);
    else this.#pan(event);
  }

  /** Follows the pointer until it is let go. */
  #follow(event, moved, done) {
    const start = { x: event.clientX, y: event.clientY };
    const track = new AbortController();
    const { signal } = track;
    const move = (next) => moved({ x: next.clientX - start.x, y: next.clientY - start.y }, next);
    const end = (last) => (track.abort(), done?.(last));
    window.addEventListener("pointermove", move, { signal });
    window.addEventListener("pointerup", end, { signal });
    window.addEventListener("pointercancel", () => track.abort(), { signal });
  }

  #pan(event) {
    const { x, y } = this.view;
    this.#follow(event, (by) => this.#move({ x: x + by.x, y: y + by.y }));
  }

  #drag(event, card) {
    const id = card.dataset.step;
    const { x, y } = this.places.get(id);
    let to = null;
    this.#follow(
      event,
      (by) => {
        if (this.#readonly || (!to && Math.hypot(by.x, by.y) < 5)) return;
        to = { x: Math.round(x + by.x / this.view.scale), y: Math.round(y + by.y / this.view.scale) };
        this.places.set(id, to);
        card.style.translate = `${to.x}px ${to.y}px`;
        this.#drawLines();
      },
      () => (to ? this.#tell("flow-move", { id, position: to }) : this.#tell("flow-select", { id })),
    );
  }

  #pull(event, from) {
    event.preventDefault();
    const path = line("path", { class: "flow-line flow-line-new" });
    this.lines.append(path);
    const start = this.#point(event);
    this.#follow(
      event,
      (_, next) => {
        const end = this.#point(next);
        path.setAttribute("d", `M${start.x} ${start.y} L${end.x} ${end.y}`);
      },
      (last) => {
        path.remove();
        const to = document.elementFromPoint(last.clientX, last.clientY)?.closest("[data-step]")?.dataset.step;
        if (to && to !== from) this.#tell("flow-connect", { from, to });
      },
    );
  }

  #wheel(event) {
    event.preventDefault();
    const box = this.getBoundingClientRect();
    if (event.ctrlKey || event.metaKey) this.zoom(Math.exp(-event.deltaY / 300), { x: event.clientX - box.x, y: event.clientY - box.y });
    else this.#move({ x: this.view.x - event.deltaX, y: this.view.y - event.deltaY });
  }

  #jump(event) {
    event.stopPropagation();
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(this.map.getScreenCTM().inverse());
    this.#move({ x: this.clientWidth / 2 - at.x * this.view.scale, y: this.clientHeight / 2 - at.y * this.view.scale });
  }
}
