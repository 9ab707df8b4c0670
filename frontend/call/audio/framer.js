// Cuts a stream of samples into the frames that the call's socket carries: 20 ms of PCM16 at 16 kHz, 640 bytes.

import { Resampler } from "./resampler.js";

export const CALL_RATE = 16000;
export const FRAME_SAMPLES = 320;
export const FRAME_SECONDS = FRAME_SAMPLES / CALL_RATE;

export class Framer {
  /** @param {number} rate samples a second of what is pushed @param {(pcm: Int16Array, level: number) => void} emit one frame, and its loudness 0..1 */
  constructor(rate, emit) {
    this.resampler = new Resampler(rate, CALL_RATE);
    this.emit = emit;
    this.muted = false;
    this.frame = new Int16Array(FRAME_SAMPLES);
    this.filled = 0;
    this.power = 0;
  }

  /** Muted or not, as many frames come out as time passes: the far end's clock is made of them. */
  push(samples) {
    for (const sample of this.resampler.process(samples)) {
      const value = this.muted ? 0 : Math.max(-1, Math.min(1, sample));
      this.frame[this.filled++] = Math.round(value * 32767);
      this.power += value * value;
      if (this.filled === FRAME_SAMPLES) this.#send();
    }
  }

  #send() {
    this.emit(this.frame, loudness(Math.sqrt(this.power / FRAME_SAMPLES)));
    this.frame = new Int16Array(FRAME_SAMPLES);
    this.filled = this.power = 0;
  }
}

/** An amplitude (0..1, root mean square) as people hear it: -60 dB is 0, full scale is 1. */
export function loudness(amplitude) {
  return amplitude <= 0.001 ? 0 : Math.min(1, 1 + Math.log10(amplitude) / 3);
}
