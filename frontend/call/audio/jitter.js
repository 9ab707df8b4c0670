// The buffer between the network, which delivers the agent's audio in fits and starts, and the speaker, which must not wait.
//
// Audio is played once `target` seconds of it are there. When it runs dry in the middle of a sentence the sound fades instead of
// clicking and the target grows; after a while without trouble it shrinks again. Times are seconds, counted in samples played.

import { CALL_RATE } from "./framer.js";
import { Resampler } from "./resampler.js";

export const FIRST_TARGET = 0.06;
export const LEAST_TARGET = 0.04;
export const MOST_TARGET = 0.2;
const GROW = 0.02;
const SHRINK = 0.01;
const CALM_SECONDS = 10; // this long without running dry, and the target shrinks by a step
const GAP_SECONDS = 0.25; // a silence longer than this is the end of a sentence, not a late packet
const FADE_SECONDS = 0.004;

export class JitterBuffer {
  /** @param {number} rate samples a second of what is read; frames are pushed at 16 kHz */
  constructor(rate) {
    this.rate = rate;
    this.target = FIRST_TARGET;
    this.underruns = 0;
    this.played = 0;
    this.delay = FIRST_TARGET;
    this.now = 0; // samples read, silence included: this buffer's clock
    this.#empty();
    this.calmSince = 0;
    this.driedAt = null;
  }

  #empty() {
    this.frames = [];
    this.offset = 0;
    this.available = 0;
    this.playing = false;
    this.waitingSince = null;
    this.last = 0;
    this.gain = 0;
    this.resampler = new Resampler(CALL_RATE, this.rate);
  }

  /** Seconds of audio that wait to be played. */
  get depth() {
    return this.available / this.rate;
  }

  /** @param {Int16Array} pcm one frame at 16 kHz */
  push(pcm) {
    const samples = this.resampler.process(Float32Array.from(pcm, (value) => value / 32768));
    if (this.driedAt !== null) this.#judgeGap();
    this.waitingSince ??= this.now;
    this.frames.push({ samples, arrived: this.now });
    this.available += samples.length;
  }

  /** Audio came after the buffer ran dry: too late, or simply the next sentence? */
  #judgeGap() {
    if (this.now - this.driedAt < GAP_SECONDS * this.rate) {
      this.underruns += 1;
      this.target = Math.min(MOST_TARGET, this.target + GROW);
      this.calmSince = this.now;
    }
    this.driedAt = null;
  }

  /** Drop everything at once; what sounds now fades within `FADE_SECONDS`. Returns the seconds dropped. */
  clear() {
    const { last, depth } = this;
    this.#empty();
    this.last = last;
    this.driedAt = null;
    return depth;
  }

  /** Fill `output` (mono, at `rate`) with the next samples; silence where there are none. */
  read(output) {
    if (!this.playing && this.#mayStart()) this.#start();
    let written = 0;
    if (this.playing) written = this.#copy(output);
    for (let i = written; i < output.length; i++) output[i] = this.last = this.#faded();
    this.now += output.length;
    if (this.playing && written < output.length) this.#ranDry();
    if (this.now - this.calmSince > CALM_SECONDS * this.rate) this.#relax();
  }

  #mayStart() {
    if (this.available === 0) return false;
    const waited = (this.now - this.waitingSince) / this.rate;
    // A last word that is shorter than the target is not kept waiting for company that never comes.
    return this.depth >= this.target || waited >= this.target;
  }

  #start() {
    this.playing = true;
    this.waitingSince = null;
    this.gain = 0;
  }

  #ranDry() {
    this.playing = false;
    this.driedAt = this.now;
  }

  #relax() {
    this.target = Math.max(LEAST_TARGET, this.target - SHRINK);
    this.calmSince = this.now;
  }

  #copy(output) {
    const rise = 1 / (FADE_SECONDS * this.rate);
    let written = 0;
    while (written < output.length && this.frames.length) {
      const { samples, arrived } = this.frames[0];
      if (this.offset === 0) this.delay += 0.1 * ((this.now + written - arrived) / this.rate - this.delay);
      const count = Math.min(output.length - written, samples.length - this.offset);
      for (let i = 0; i < count; i++) {
        this.gain = Math.min(1, this.gain + rise);
        output[written++] = samples[this.offset++] * this.gain;
      }
      if (this.offset === samples.length) {
        this.frames.shift();
        this.offset = 0;
      }
    }
    if (written) this.last = output[written - 1];
    this.available -= written;
    this.played += written / this.rate;
    return written;
  }

  /** The sample after `last`, on its way to silence. */
  #faded() {
    if (this.last === 0) return 0;
    const next = this.last * (1 - 5 / (FADE_SECONDS * this.rate));
    return Math.abs(next) < 1e-4 ? 0 : next;
  }
}
