// Reads the outline of a stereo recording as it streams in: for each channel and each of `count` equal stretches of time the lowest and
// the highest sample. A recording of an hour is 230 MB; nothing of it is kept.

const text = (bytes, from) => String.fromCharCode(...bytes.subarray(from, from + 4));

/** Where a WAV file's samples are: {channels, rate, start, length} in bytes; null while the header is not complete. */
export function header(bytes) {
  if (bytes.length < 12) return null;
  if (text(bytes, 0) !== "RIFF" || text(bytes, 8) !== "WAVE") throw new Error("This is no WAV file.");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let format = null;
  for (let at = 12; at + 8 <= bytes.length; ) {
    const [name, size] = [text(bytes, at), view.getUint32(at + 4, true)];
    if (name === "data") return { ...format, start: at + 8, length: size };
    if (at + 8 + size > bytes.length) return null;
    if (name === "fmt ") {
      const [kind, channels, rate, bits] = [view.getUint16(at + 8, true), view.getUint16(at + 10, true), view.getUint32(at + 12, true), view.getUint16(at + 22, true)];
      if (kind !== 1 || bits !== 16) throw new Error("This WAV file is not PCM16.");
      format = { channels, rate };
    }
    at += 8 + size + (size % 2);
  }
  return null;
}

export class Peaks {
  /** @param {number} count how many stretches */
  constructor(count) {
    this.count = count;
    this.format = null;
    this.rest = new Uint8Array(0);
    this.frames = 0;
    this.channels = [];
  }

  /** How much of the recording was read, 0..1. */
  get progress() {
    return this.total ? Math.min(1, this.frames / this.total) : 0;
  }

  /** @param {Uint8Array} chunk the next bytes of the file */
  push(chunk) {
    let bytes = join(this.rest, chunk);
    this.rest = bytes;
    if (!this.format) {
      this.format = header(bytes);
      if (!this.format) return;
      const { channels, start, length } = this.format;
      this.total = Math.floor(length / (2 * channels));
      this.channels = Array.from({ length: channels }, () => ({ low: new Float32Array(this.count), high: new Float32Array(this.count) }));
      bytes = bytes.subarray(start);
    }
    const width = 2 * this.format.channels;
    const whole = Math.min(Math.floor(bytes.length / width), this.total - this.frames);
    this.#measure(new DataView(bytes.buffer, bytes.byteOffset, whole * width), whole);
    this.rest = bytes.slice(whole * width);
  }

  #measure(view, frames) {
    const { channels, count, total } = this;
    const perFrame = count / total;
    for (let frame = 0; frame < frames; frame++) {
      const bucket = Math.min(count - 1, Math.floor((this.frames + frame) * perFrame));
      for (let channel = 0; channel < channels.length; channel++) {
        const value = view.getInt16(2 * (frame * channels.length + channel), true) / 32768;
        const { low, high } = channels[channel];
        if (value < low[bucket]) low[bucket] = value;
        if (value > high[bucket]) high[bucket] = value;
      }
    }
    this.frames += frames;
  }
}

function join(first, second) {
  if (first.length === 0) return second;
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}
