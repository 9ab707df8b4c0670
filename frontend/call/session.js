// One test call: its socket, its sound and its transcript, and how they hang together. Knows nothing of the page.
//
// `state` is idle, connecting, live, ended or error; `line` is up or lost. Emits, as CustomEvents:
// state, entries (detail: the transcript's entries that changed), level (0..1), playout, microphone, devices.

import { CallAudio } from "./audio/audio.js";
import { duration } from "./latency.js";
import { CallSocket } from "./socket.js";
import { Transcript } from "./transcript.js";
import { transferred } from "./words.js";

// The engine is told of a new playout delay when it has changed by this much, and not more often than this.
const DELAY_STEP = 0.01;
const DELAY_EVERY = 0.5;
// Level above which somebody is speaking, and how long a microphone may be dead silent before we say so.
const SOUND = 0.02;
const DEAD_SECONDS = 6;
// So long the server has to confirm that we hang up.
const GOODBYE_SECONDS = 4;
const NO_SOUND = "Browsers play a call’s sound on https:// and http://localhost only, so here the answers can be read but not heard.";

export class CallSession extends EventTarget {
  /** @param {{socket: string, capture: string, playback: string}} addresses */
  constructor(addresses) {
    super();
    this.addresses = addresses;
    this.transcript = new Transcript();
    this.state = "idle";
    this.line = "up";
    this.call = null;
    this.error = null;
    this.ended = null;
    this.microphone = "off"; // off, on, silent
    this.startedAt = 0;
    this.told = { delay: 0, at: 0 };
  }

  /**
   * Call the agent. @throws {DOMException} when there is no microphone; the session is then idle as before
   * @param {{microphone: boolean}} how
   */
  async start({ microphone }) {
    this.#set({ state: "connecting" });
    this.audio = new CallAudio(this.addresses);
    this.#hearAudio(this.audio);
    try {
      await this.audio.start();
      if (microphone) await this.listen();
    } catch (error) {
      this.audio.close();
      if (this.state === "connecting") this.#set({ state: "idle" });
      throw error;
    }
    if (this.state === "connecting") this.#connect();
  }

  #connect() {
    this.socket = new CallSocket(this.addresses.socket);
    const on = (type, handler) => this.socket.addEventListener(type, ({ detail }) => handler(detail));
    on("ready", (detail) => this.#ready(detail.call));
    on("event", ({ event }) => {
      this.#changed(this.transcript.apply(event));
      this.#tell("event", event);
    });
    on("latency", (latency) => this.#changed(this.transcript.latency(latency)));
    on("audio", (frame) => this.audio.play(frame));
    on("clear", () => this.audio.clear());
    on("transfer", ({ to, label }) => this.#changed(this.transcript.remark(transferred(to, label), "good", "phone-forwarded")));
    on("ended", (ended) => this.#end(ended));
    on("lost", () => this.line === "up" && this.#lost());
    on("gone", () => this.#end({ reason: "connection_lost", detail: "", url: this.call.url, gone: true }));
    on("error", ({ error }) => this.#fail(error));
    on("trouble", ({ title, message }) => this.#changed(this.transcript.remark(`${title}. ${message}`, "error", "triangle-alert")));
    this.socket.connect();
  }

  // --- what the person does

  /** Open a microphone, or change it. @throws {DOMException} see microphone.explain */
  async listen(deviceId) {
    await this.audio.listen(deviceId);
    this.heardSoundAt = performance.now();
    this.#set({ microphone: "on" }, "microphone");
  }

  mute(muted) {
    this.audio?.mute(muted);
    this.heardSoundAt = performance.now();
    this.#set({ microphone: this.microphone === "off" ? "off" : "on" }, "microphone");
  }

  get muted() {
    return Boolean(this.audio?.muted);
  }

  /** Returns false while there is no line to send it on. */
  say(text) {
    return Boolean(this.socket?.send({ type: "text", text }));
  }

  /** Press a key of the phone. Returns false while there is no line to send it on. */
  press(digit) {
    return Boolean(this.socket?.send({ type: "digit", digit }));
  }

  hangUp() {
    if (this.state === "connecting") {
      this.socket?.close();
      this.audio.close();
      this.#set({ state: "idle" });
    } else if (this.state === "live") {
      const byHand = () => this.state === "live" && this.#endHere();
      if (this.line === "lost") byHand();
      else this.socket.hangUp();
      setTimeout(byHand, GOODBYE_SECONDS * 1000);
    }
  }

  /** The server cannot be told, or does not answer: it notices by itself that the line is dead. */
  #endHere() {
    this.socket.close();
    this.#end({ reason: "caller_ended", detail: "", url: this.call.url });
  }

  /** Stop everything without a word, because the page goes away. */
  abandon() {
    this.socket?.hangUp();
    this.socket?.close();
    this.audio?.close();
  }

  /** Seconds since the call began. */
  get seconds() {
    return this.startedAt ? ((this.endedAt ?? performance.now()) - this.startedAt) / 1000 : 0;
  }

  // --- what happens

  #ready(call) {
    const resumed = this.call !== null;
    this.call = call;
    this.startedAt ||= performance.now();
    if (resumed) {
      const lost = duration((performance.now() - this.lostAt) / 1000);
      this.#changed(this.transcript.remark(`Back on the line after ${lost}. The call went on meanwhile.`, "good", "plug-zap"));
    } else {
      this.#changed(this.transcript.remark(`Call with ${call.agent}, ${call.version}.`, "quiet", "phone"));
      if (!this.audio.audible) this.#changed(this.transcript.remark(NO_SOUND, "warning", "triangle-alert"));
    }
    this.told = { delay: 0, at: 0 };
    this.#set({ state: "live", line: "up" });
  }

  #lost() {
    this.lostAt = performance.now();
    this.audio.clear();
    this.#changed(this.transcript.remark("The connection was lost. Trying to get back to the call…", "warning", "unplug"));
    this.#set({ line: "lost" });
  }

  #end(ended) {
    this.audio.stopListening();
    this.endedAt = performance.now();
    this.#changed(this.transcript.apply({ type: "call.ended" }));
    this.#set({ state: "ended", line: "up", microphone: "off", ended });
    // The last words that were sent are still to be heard.
    setTimeout(() => this.audio.close(), ended.gone ? 0 : 1500);
  }

  #fail(error) {
    this.audio.close();
    this.endedAt = performance.now();
    this.#set({ state: "error", line: "up", microphone: "off", error });
  }

  #hearAudio(audio) {
    const on = (type, handler) => audio.addEventListener(type, ({ detail }) => handler(detail));
    on("frame", ({ frame, level }) => {
      this.socket?.sendAudio(frame);
      this.#level(level);
    });
    on("playout", (report) => this.#playout(report));
    on("devices", () => this.#tell("devices"));
    on("unplugged", () => this.#unplugged());
  }

  #level(level) {
    const now = performance.now();
    if (level > SOUND) this.heardSoundAt = now;
    const silent = !this.muted && now - this.heardSoundAt > DEAD_SECONDS * 1000 && level === 0;
    if (silent !== (this.microphone === "silent") && !this.muted) this.#set({ microphone: silent ? "silent" : "on" }, "microphone");
    this.#tell("level", level);
  }

  #playout(report) {
    const now = performance.now() / 1000;
    const changed = Math.abs(report.delay - this.told.delay) >= DELAY_STEP && now - this.told.at >= DELAY_EVERY;
    if (changed && this.socket?.send({ type: "playout", delay: Math.round(report.delay * 1000) / 1000 })) {
      this.told = { delay: report.delay, at: now };
    }
    this.#tell("playout", report);
  }

  async #unplugged() {
    try {
      await this.listen("");
      this.#changed(this.transcript.remark("The microphone was unplugged, so another one took over.", "warning", "mic"));
    } catch {
      this.audio.stopListening();
      this.#changed(this.transcript.remark("The microphone was unplugged. Plug one in and turn it on again, or type.", "warning", "mic-off"));
      this.#set({ microphone: "off" }, "microphone");
    }
  }

  #set(changes, type = "state") {
    Object.assign(this, changes);
    this.#tell(type);
  }

  #changed(entries) {
    if (entries.size) this.#tell("entries", entries);
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
