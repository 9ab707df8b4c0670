// The sound of a call: the microphone in, the agent's voice out, through two worklets on one AudioContext.
//
// Emits, as CustomEvents: frame {frame: ArrayBuffer, level: 0..1}, playout {depth, delay, playing, played, underruns},
// devices (the lists changed), unplugged (the microphone went away).

import { devices, openMicrophone } from "../microphone.js";
import { CALL_RATE } from "./framer.js";

export class CallAudio extends EventTarget {
  /** @param {{capture: string, playback: string}} worklets their addresses */
  constructor(worklets) {
    super();
    this.worklets = worklets;
    this.muted = false;
    this.microphoneId = "";
    this.speakerId = "";
    this.onDeviceChange = () => this.dispatchEvent(new CustomEvent("devices"));
    navigator.mediaDevices?.addEventListener?.("devicechange", this.onDeviceChange);
  }

  /** Get ready to play. Call it from a click: browsers keep a page silent that nobody has touched. */
  async start() {
    await this.#open(CALL_RATE);
  }

  async #open(sampleRate) {
    try {
      this.context = new AudioContext({ latencyHint: "interactive", ...(sampleRate ? { sampleRate } : {}) });
    } catch (error) {
      if (!sampleRate) throw error;
      return this.#open(); // this browser cannot run at 16 kHz: the worklets resample
    }
    const { context, worklets } = this;
    if (!context.audioWorklet) return undefined; // an address without https: the words can still be read
    const resumed = context.resume();
    await Promise.all([context.audioWorklet.addModule(worklets.playback), context.audioWorklet.addModule(worklets.capture)]);
    this.player = new AudioWorkletNode(context, "playback", { numberOfInputs: 0, outputChannelCount: [1] });
    this.player.port.onmessage = ({ data }) => this.#tellPlayout(data);
    this.player.connect(context.destination);
    if (this.speakerId) await this.useSpeaker(this.speakerId);
    return resumed;
  }

  #tellPlayout(report) {
    const device = this.context.outputLatency || this.context.baseLatency || 0;
    this.dispatchEvent(new CustomEvent("playout", { detail: { ...report, delay: report.delay + device } }));
  }

  /** Whether the agent can be heard here at all. */
  get audible() {
    return Boolean(this.player);
  }

  /** Open a microphone, or change to another one in mid-call. @throws {DOMException} see microphone.explain */
  async listen(deviceId = this.microphoneId) {
    const stream = await openMicrophone(deviceId);
    if (this.context.state === "closed") return stopTracks(stream);
    try {
      this.#capture(stream);
    } catch (error) {
      if (error.name !== "NotSupportedError" || this.context.sampleRate !== CALL_RATE) {
        stopTracks(stream);
        throw error;
      }
      // Firefox joins a microphone only to a context of its own rate.
      await this.context.close();
      await this.#open();
      this.#capture(stream);
    }
    this.microphoneId = deviceId;
    this.onDeviceChange(); // with the permission come the devices' names
    return undefined;
  }

  #capture(stream) {
    const source = this.context.createMediaStreamSource(stream);
    this.stopListening();
    if (this.recorder?.context !== this.context) {
      this.recorder = new AudioWorkletNode(this.context, "capture", { numberOfOutputs: 0, channelCount: 1, channelCountMode: "explicit" });
      this.recorder.port.onmessage = ({ data }) => this.dispatchEvent(new CustomEvent("frame", { detail: data }));
      this.recorder.port.postMessage({ muted: this.muted });
    }
    source.connect(this.recorder);
    Object.assign(this, { source, stream });
    stream.getAudioTracks()[0].addEventListener("ended", () => {
      if (this.stream === stream) this.dispatchEvent(new CustomEvent("unplugged"));
    });
  }

  stopListening() {
    this.source?.disconnect();
    stopTracks(this.stream);
    this.source = this.stream = null;
  }

  /** Muted, the far end gets silence: its clock goes on. */
  mute(muted) {
    this.muted = muted;
    this.recorder?.port.postMessage({ muted });
  }

  /** @param {ArrayBuffer} frame PCM16 at 16 kHz */
  play(frame) {
    this.player?.port.postMessage({ frame }, [frame]);
  }

  /** Silence what was sent and not yet heard, at once. */
  clear() {
    this.player?.port.postMessage({ clear: true });
  }

  static get choosesSpeakers() {
    return "setSinkId" in AudioContext.prototype;
  }

  async useSpeaker(deviceId) {
    await this.context.setSinkId(deviceId);
    this.speakerId = deviceId;
  }

  /** @returns {Promise<{microphones: object[], speakers: object[]}>} each {deviceId, label} */
  async devices() {
    return { microphones: await devices("audioinput"), speakers: CallAudio.choosesSpeakers ? await devices("audiooutput") : [] };
  }

  close() {
    navigator.mediaDevices?.removeEventListener?.("devicechange", this.onDeviceChange);
    this.stopListening();
    if (this.context && this.context.state !== "closed") this.context.close();
  }
}

function stopTracks(stream) {
  for (const track of stream?.getTracks() ?? []) track.stop();
}
