// Changes the sample rate of a stream: a windowed-sinc filter, whose phases are computed once.
//
// Used both ways: from the sound card's rate down to 16 kHz (where the filter keeps what is above 8 kHz from folding back into
// speech), and from 16 kHz up to the sound card's rate. State is kept between blocks, so blocks of any size join without a seam.

const ZERO_CROSSINGS = 16;
const ROLL_OFF = 0.92; // the pass band, as a share of the lower of the two Nyquist frequencies
const greatestCommonDivisor = (a, b) => (b ? greatestCommonDivisor(b, a % b) : a);

/** Blackman's window over -1..1. */
const blackman = (x) => 0.42 + 0.5 * Math.cos(Math.PI * x) + 0.08 * Math.cos(2 * Math.PI * x);
const sinc = (x) => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));

export class Resampler {
  /** @param {number} from samples a second in @param {number} to samples a second out; both whole numbers */
  constructor(from, to) {
    const divisor = greatestCommonDivisor(from, to);
    this.up = to / divisor;
    this.down = from / divisor;
    this.identity = from === to;
    const cutoff = Math.min(1, to / from) * ROLL_OFF;
    this.half = Math.ceil(ZERO_CROSSINGS / cutoff);
    this.taps = 2 * this.half;
    this.phases = Array.from({ length: this.up }, (_, phase) => this.#phase(phase / this.up, cutoff));
    this.history = new Float32Array(this.taps);
    this.phase = 0;
    this.skip = 0;
  }

  /** The filter for an output that lies `fraction` of a sample after an input; its sum is 1, so that loudness is kept. */
  #phase(fraction, cutoff) {
    const taps = new Float32Array(this.taps);
    let sum = 0;
    for (let i = 0; i < this.taps; i++) {
      const distance = i - (this.half - 1) - fraction;
      taps[i] = Math.abs(distance) >= this.half ? 0 : sinc(distance * cutoff) * blackman(distance / this.half);
      sum += taps[i];
    }
    return taps.map((tap) => tap / sum);
  }

  /** @param {Float32Array} input @returns {Float32Array} what has become complete with it */
  process(input) {
    if (this.identity) return input;
    const { taps, up, down } = this;
    const samples = new Float32Array(this.history.length + input.length);
    samples.set(this.history);
    samples.set(input, this.history.length);
    const output = new Float32Array(Math.ceil(((samples.length - this.skip) * up) / down) + 1);
    let start = this.skip;
    let count = 0;
    while (start + taps <= samples.length) {
      const filter = this.phases[this.phase];
      let sum = 0;
      for (let i = 0; i < taps; i++) sum += samples[start + i] * filter[i];
      output[count++] = sum;
      this.phase += down;
      start += Math.floor(this.phase / up);
      this.phase %= up;
    }
    const keep = Math.min(start, samples.length);
    this.skip = start - keep;
    this.history = samples.slice(keep);
    return output.subarray(0, count);
  }
}
