// <call-panel>: the drawer in which one talks to an agent. Its markup is templates/telephony/_call_panel.html.
//
// Opened by `callwright:talk` on the document, by any [data-talk] that is pressed, or by ?talk=1 or #talk in the address. Tells its state in
// data-state ("idle", "connecting", "live", "ended", "error"), data-line ("up", "lost"), data-microphone ("off", "on", "silent"),
// data-speaking and data-call-id. Says `callwright:call-ended` on the document, with {id, url},
// and `callwright:event` with each event of the call.

import { CallAudio } from "./audio/audio.js";
import { clock, milliseconds } from "./latency.js";
import { explain } from "./microphone.js";
import { CallSession } from "./session.js";
import { clone, setText, TranscriptView } from "./transcript-view.js";
import { endReason } from "./words.js";

const STATUS = {
  idle: ["Not connected", "text-muted", false],
  connecting: ["Connecting…", "text-warning", true],
  live: ["Live", "text-success", true],
  lost: ["Connection lost, trying again…", "text-error", true],
  ended: ["Ended", "text-muted", false],
  error: ["Failed", "text-error", false],
};
const RUNNING = ["connecting", "live"];
const LEVEL_EVERY_MS = 100;
const KEYS = /^[0-9*#]$/;
// What needs the keys for itself.
const CONTROLS = "input, textarea, select, button, a, summary, dialog, [contenteditable]";

export class CallPanel extends HTMLElement {
  connectedCallback() {
    if (this.listening) return;
    this.listening = new AbortController();
    const { signal } = this.listening;
    this.addEventListener("click", (event) => this.#pressed(event), { signal });
    this.addEventListener("change", (event) => this.#chose(event), { signal });
    this.addEventListener("submit", (event) => this.#submitted(event), { signal });
    this.querySelector("[data-leave]").addEventListener("close", (event) => this.#leave(event.target.returnValue), { signal });
    document.addEventListener("keydown", (event) => this.#key(event), { signal });
    document.addEventListener("callwright:talk", () => this.open(), { signal });
    document.addEventListener("click", (event) => event.target.closest("[data-talk]") && this.open(), { signal });
    window.addEventListener("beforeunload", (event) => this.#running && event.preventDefault(), { signal });
    window.addEventListener("pagehide", () => this.session?.abandon(), { signal });
    this.#idle();
    if (location.hash === "#talk" || new URLSearchParams(location.search).get("talk") === "1") this.open();
    window.addEventListener("hashchange", () => location.hash === "#talk" && this.open(), { signal });
  }

  disconnectedCallback() {
    this.listening?.abort();
    this.listening = null;
    clearInterval(this.ticking);
    this.session?.abandon();
  }

  get #running() {
    return RUNNING.includes(this.session.state);
  }

  // --- opening and closing

  open() {
    if (this.hidden || this.#mini) this.opener = document.activeElement;
    this.hidden = false;
    this.#mini = false;
    this.querySelector(this.#running ? "[data-title]" : '[data-do="start"]').focus({ preventScroll: true });
  }

  close() {
    if (this.#running) return this.querySelector("[data-leave]").showModal();
    this.hidden = true;
    this.opener?.focus?.();
    this.opener = null;
    return undefined;
  }

  #leave(answer) {
    if (answer === "minimise") this.#minimise();
    if (answer === "end") this.session.hangUp();
  }

  #minimise() {
    this.#mini = true;
    this.querySelector('[data-do="restore"]').focus();
  }

  get #mini() {
    return !this.querySelector("[data-mini]").hidden;
  }

  set #mini(mini) {
    this.querySelector("[data-mini]").hidden = !mini;
    this.querySelector("[data-sheet]").hidden = mini;
  }

  // --- the call

  #idle() {
    const url = new URL(this.dataset.socket, location.href);
    url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    const session = (this.session = new CallSession({ socket: url.href, capture: this.dataset.capture, playback: this.dataset.playback }));
    const on = (type, handler) => session.addEventListener(type, ({ detail }) => session === this.session && handler(detail));
    this.view?.close();
    this.view = new TranscriptView(this, session.transcript);
    on("entries", (entries) => this.view.update(entries));
    on("event", (event) => document.dispatchEvent(new CustomEvent("callwright:event", { detail: event })));
    on("state", () => this.#draw());
    on("microphone", () => this.#drawMicrophone());
    on("level", (level) => this.#drawLevel(level));
    on("playout", (report) => this.#drawPlayout(report));
    on("devices", () => this.#drawDevices());
    this.#notice(null);
    this.#draw();
  }

  /** @param {boolean} microphone speak, or only type */
  async start(microphone) {
    this.#idle();
    const { session } = this;
    try {
      await session.start({ microphone });
    } catch (error) {
      if (session === this.session) this.#refused(error);
    }
  }

  async #listen(deviceId) {
    try {
      await this.session.listen(deviceId);
      this.#notice(null);
    } catch (error) {
      this.#refused(error);
    }
  }

  #refused(error) {
    const { title, meaning, action } = explain(error, { secure: isSecureContext, origin: location.origin });
    const typing = this.#running ? "You can go on typing meanwhile." : "Or type instead: the agent answers all the same.";
    this.#notice({ title, meaning, action: `${action} ${typing}`, tone: "notice-warn" });
    setText(this, "[data-start-label]", "Try the microphone again");
  }

  // --- drawing

  #draw() {
    const { state, line, call, ended, error } = this.session;
    this.dataset.state = state;
    this.dataset.line = line;
    if (call) this.dataset.callId = call.id;
    else delete this.dataset.callId;
    for (const part of this.querySelectorAll("[data-show]")) part.hidden = !part.dataset.show.split(" ").includes(state);
    const [text, tone, pulsing] = STATUS[state === "live" && line === "lost" ? "lost" : state];
    setText(this, "[data-status-text]", text);
    this.querySelector("[data-status]").className = `inline-flex items-center gap-1.5 ${tone}`;
    this.querySelector("[data-status-dot]").classList.toggle("dot-live", pulsing);
    setText(this, "[data-version]", call?.version ?? "");
    setText(this, "[data-start-label]", state === "idle" ? "Start the call" : "Start a new call");
    if (state === "live") this.#notice(null);
    if (state === "ended") this.#over(ended, call);
    if (state === "error") this.#notice({ title: error.title, meaning: error.message, request: error.request_id, link: call?.url, tone: "notice-bad" });
    this.#drawMicrophone();
    this.#tick();
    if (state === "connecting") this.querySelector("[data-title]").focus(); // the button that was pressed is gone
    if (!this.#running && this.drawn !== state) this.#rest(state);
    if (state === "live" && this.drawn === "connecting" && this.session.microphone === "off") this.querySelector("[name=text]").focus();
    this.drawn = state;
  }

  /** The call is over, or never came about: show the whole panel, with what can be done next. */
  #rest(state) {
    this.dataset.speaking = "false";
    this.#devicesOpen(false);
    this.#keypadOpen(false);
    this.#mini = false;
    if (state !== "idle" && !this.hidden && this.contains(document.activeElement)) this.querySelector('[data-do="start"]').focus();
  }

  #over({ reason, detail, url }, call) {
    const tone = ["error", "connection_lost", "process_lost", "server_shutdown"].includes(reason) ? "notice-bad" : "notice-info";
    this.#notice({ title: endReason(reason), meaning: detail, link: url || call?.url, tone });
    document.dispatchEvent(new CustomEvent("callwright:call-ended", { detail: { id: call?.id, url: url || call?.url } }));
  }

  /** Something to know, under the transcript; null removes it. */
  #notice(notice) {
    const place = this.querySelector("[data-notice]");
    if (!notice) return place.replaceChildren();
    const element = clone(this, "notice");
    element.classList.add(notice.tone);
    setText(element, "[data-notice-title]", notice.title);
    setText(element, "[data-notice-meaning]", notice.meaning ?? "");
    setText(element, "[data-notice-action]", notice.action ?? "");
    setText(element, "[data-request]", notice.request ?? "");
    element.querySelector("[data-notice-request]").hidden = !notice.request;
    element.querySelector("[data-notice-link]").hidden = !notice.link;
    if (notice.link) element.querySelector("[data-link]").href = notice.link;
    place.replaceChildren(element);
    return this.view.toLatest();
  }

  #drawMicrophone() {
    const { microphone, muted } = this.session;
    this.dataset.microphone = microphone;
    this.dataset.muted = String(muted);
    for (const part of this.querySelectorAll("[data-microphone-only]")) part.hidden = microphone === "off";
    for (const part of this.querySelectorAll("[data-typing-only]")) part.hidden = microphone !== "off";
    for (const button of this.querySelectorAll('[data-do="mute"]')) {
      button.setAttribute("aria-pressed", String(muted));
      button.querySelector("[data-unmuted]").hidden = muted;
      button.querySelector("[data-muted]").hidden = !muted;
    }
    setText(this, "[data-mute-label]", muted ? "Muted" : "Mute");
    const silent = microphone === "silent" ? "No sound: is it switched off?" : "Microphone is on";
    setText(this, "[data-level-text]", muted ? "The agent does not hear you" : silent);
    if (muted) this.#drawLevel(0);
  }

  /** A frame of sound comes 50 times a second, and each change costs the browser a frame of picture. */
  #drawLevel(level) {
    const now = performance.now();
    this.peak = Math.max(level, this.peak ?? 0);
    if (level && now - (this.levelAt ?? 0) < LEVEL_EVERY_MS) return;
    const width = `${Math.round(this.peak * 20) * 5}%`;
    this.levelAt = now;
    this.peak = 0;
    const bar = this.querySelector("[data-level]");
    if (bar.getAttribute("width") !== width) bar.setAttribute("width", width);
  }

  #drawPlayout({ playing, depth, delay }) {
    const told = { speaking: String(playing), buffered: String(milliseconds(depth)), delay: String(milliseconds(delay)) };
    for (const [name, value] of Object.entries(told)) if (this.dataset[name] !== value) this.dataset[name] = value;
  }

  async #drawDevices() {
    const { audio } = this.session;
    const { microphones, speakers } = await audio.devices();
    fill(this.querySelector("[data-microphones]"), microphones, audio.microphoneId);
    fill(this.querySelector("[data-speakers]"), speakers, audio.speakerId);
    this.querySelector("[data-speaker-field]").hidden = !CallAudio.choosesSpeakers || speakers.length === 0;
  }

  #tick() {
    const draw = () => {
      const passed = clock(this.session.seconds);
      for (const timer of this.querySelectorAll("[data-timer]")) if (timer.textContent !== passed) timer.textContent = passed;
    };
    clearInterval(this.ticking);
    draw();
    if (this.session.state === "live") this.ticking = setInterval(draw, 500);
  }

  // --- what the person does

  #pressed(event) {
    const button = event.target.closest("[data-do]");
    if (!button) return;
    const actions = {
      start: () => this.start(true),
      type: () => this.start(false),
      listen: () => this.#listen(),
      mute: () => this.#mute(),
      "hang-up": () => this.session.hangUp(),
      minimise: () => this.#minimise(),
      restore: () => this.open(),
      close: () => this.close(),
      latest: () => this.view.toLatest(),
      devices: () => this.#devicesOpen(this.querySelector("[data-devices]").hidden),
      keypad: () => this.#keypadOpen(this.querySelector("[data-keypad]").hidden),
      press: () => this.session.press(button.dataset.digit),
    };
    actions[button.dataset.do]();
  }

  #mute() {
    this.session.mute(!this.session.muted);
  }

  #devicesOpen(open) {
    this.querySelector("[data-devices]").hidden = !open;
    this.querySelector('[data-do="devices"]').setAttribute("aria-expanded", String(open));
    if (open) this.#drawDevices();
  }

  #keypadOpen(open) {
    this.querySelector("[data-keypad]").hidden = !open;
    this.querySelector('[data-do="keypad"]').setAttribute("aria-expanded", String(open));
    if (open) this.querySelector("[data-digit]").focus();
  }

  async #chose({ target }) {
    if (target.matches("[data-microphones]")) await this.#listen(target.value);
    if (target.matches("[data-speakers]")) {
      await this.session.audio.useSpeaker(target.value).catch(() => {
        const action = "Choose another speaker.";
        this.#notice({ title: "This speaker cannot be used", meaning: "It may be unplugged, or the system refused it.", action, tone: "notice-warn" });
      });
      this.#drawDevices();
    }
  }

  #submitted(event) {
    if (!event.target.matches("[data-typed]")) return;
    event.preventDefault();
    const field = event.target.elements.text;
    const text = field.value.trim();
    // While the line is lost the words stay in the field.
    if (text && this.session.say(text)) field.value = "";
  }

  #key(event) {
    const { target, key } = event;
    const inside = this.contains(target) || !target.closest(CONTROLS);
    if (this.hidden || !inside || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || target.closest("dialog")) return;
    if (target.closest("[data-keypad]") && KEYS.test(key)) {
      event.preventDefault();
      this.session.press(key);
      return;
    }
    if (key === "Escape" && target.closest("[data-keypad]")) {
      event.preventDefault();
      this.#keypadOpen(false);
      this.querySelector('[data-do="keypad"]').focus();
      return;
    }
    if (key === "Escape" && !this.#mini) {
      event.preventDefault();
      this.close();
    }
    if (target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]") || this.session.state !== "live" || this.session.microphone === "off") return;
    const pressesSomething = key === " " && target.closest("button, summary, a");
    if ((key === " " && !pressesSomething) || key.toLowerCase() === "m") {
      event.preventDefault();
      if (!event.repeat) this.#mute();
    }
  }
}

function fill(select, list, chosen) {
  if (document.activeElement === select && select.options.length === list.length) return;
  select.replaceChildren(...list.map(({ deviceId, label }) => new Option(label, deviceId, false, deviceId === chosen)));
}
