// <call-player>: the recording of a call, with its waveform, and the transcript of the page in step with it.
// Its markup is templates/telephony/_player.html. Tells its state in data-state ("loading", "ready", "failed").

import { clock } from "../call/latency.js";
import { Follower, wanted } from "./follow.js";
import { Peaks } from "./peaks.js";
import { Waveform } from "./waveform.js";

const STEP_SECONDS = 5;
const STRETCHES = 1600;
// What needs the keys for itself.
const CONTROLS = "input, textarea, select, button, a, summary, dialog, [contenteditable]";

export class CallPlayer extends HTMLElement {
  connectedCallback() {
    this.stopping = new AbortController();
    const { signal } = this.stopping;
    this.audio = this.querySelector("[data-audio]");
    this.wave = this.querySelector("[data-wave]");
    this.waveform = new Waveform(this.querySelector("[data-canvas]"));
    const transcript = document.querySelector("[data-transcript]");
    this.follower = transcript && new Follower(transcript, signal);
    this.waveform.marks = [...document.querySelectorAll("[data-cut-at]")].map(({ dataset }) => Number(dataset.cutAt) / this.seconds);

    const on = (target, type, handler) => target.addEventListener(type, handler, { signal });
    for (const type of ["timeupdate", "seeked", "play", "pause", "ended"]) on(this.audio, type, () => this.#moved());
    on(this.audio, "error", () => this.#again());
    on(this, "click", ({ target }) => this.#pressed(target.closest("[data-do]")?.dataset.do));
    on(this.querySelector("[data-speed]"), "change", ({ target }) => (this.audio.playbackRate = Number(target.value)));
    on(this.wave, "pointerdown", (event) => this.#grab(event));
    on(this.wave, "pointermove", (event) => this.wave.hasPointerCapture(event.pointerId) && this.#toPointer(event));
    on(document, "click", ({ target }) => this.#wish(target));
    on(document, "keydown", (event) => this.#key(event));
    this.#load(signal);
  }

  disconnectedCallback() {
    this.stopping.abort();
    this.waveform.close();
    this.audio.pause();
  }

  get seconds() {
    return Number(this.dataset.seconds) || this.audio.duration || 1;
  }

  async #load(signal) {
    this.dataset.state = "loading";
    try {
      const response = await fetch(this.dataset.outline, { signal });
      if (!response.ok) throw new Error(`The server answered ${response.status}.`);
      this.waveform.peaks = new Peaks(await response.arrayBuffer(), STRETCHES);
      this.dataset.state = "ready";
    } catch (error) {
      if (!signal.aborted) this.#fail(`The recording could not be loaded. ${error.message}`);
    }
    this.#moved();
  }

  /** The file cannot be read on: perhaps it was archived since it was opened, and is another one now. */
  #again() {
    if (this.reopened) {
      // An error that was told twice is over once the file is being opened anew.
      if (this.audio.error) this.#fail("The recording cannot be played in this browser. You can download it instead.");
      return;
    }
    this.reopened = true;
    const place = this.audio.currentTime;
    this.audio.load();
    this.audio.currentTime = place;
  }

  #fail(message) {
    this.dataset.state = "failed";
    const trouble = this.querySelector("[data-trouble]");
    trouble.textContent = message;
    trouble.hidden = false;
  }

  // --- moving

  seek(seconds) {
    this.audio.currentTime = Math.max(0, Math.min(this.seconds, seconds));
    this.#moved();
  }

  toggle() {
    if (!this.audio.paused) return this.audio.pause();
    if (this.audio.ended) this.seek(0);
    return this.audio.play().catch((error) => error.name !== "AbortError" && this.#fail(`The recording does not play: ${error.message}`));
  }

  #pressed(action) {
    if (action === "play") this.toggle();
    if (action === "back") this.seek(this.audio.currentTime - STEP_SECONDS);
    if (action === "forward") this.seek(this.audio.currentTime + STEP_SECONDS);
  }

  /** A word or a time elsewhere on the page was pressed. */
  #wish(target) {
    const place = this.contains(target) ? undefined : wanted(target);
    if (place === undefined) return;
    this.seek(place);
    if (this.audio.paused) this.toggle();
  }

  #grab(event) {
    this.wave.setPointerCapture(event.pointerId);
    this.#toPointer(event);
  }

  #toPointer(event) {
    const { left, width } = this.wave.getBoundingClientRect();
    this.seek((this.seconds * (event.clientX - left)) / width);
  }

  #key(event) {
    const { key, target } = event;
    if (event.ctrlKey || event.metaKey || event.altKey || target.closest(CONTROLS)) return;
    const place = {
      ArrowLeft: this.audio.currentTime - STEP_SECONDS,
      ArrowRight: this.audio.currentTime + STEP_SECONDS,
      Home: 0,
      End: this.seconds,
    }[key];
    if (target === this.wave && place !== undefined) this.seek(place);
    else if (key === " ") this.toggle();
    else return;
    event.preventDefault();
  }

  // --- drawing

  #moved() {
    cancelAnimationFrame(this.frame);
    this.#draw();
    if (!this.audio.paused) this.frame = requestAnimationFrame(() => this.#moved());
  }

  #draw() {
    const { currentTime, paused } = this.audio;
    this.querySelector("[data-position]").textContent = clock(currentTime);
    this.querySelector("[data-paused]").hidden = !paused;
    this.querySelector("[data-playing]").hidden = paused;
    this.querySelector('[data-do="play"]').setAttribute("aria-label", paused ? "Play" : "Pause");
    this.wave.setAttribute("aria-valuenow", currentTime.toFixed(1));
    this.wave.setAttribute("aria-valuetext", `${clock(currentTime)} of ${clock(this.seconds)}`);
    this.waveform.share = Math.min(1, currentTime / this.seconds);
    this.waveform.draw();
    this.follower?.show(currentTime, !paused);
  }
}
