// The outline of a recording, as the server measured it: for each channel and each of `count` equal stretches of time the lowest and the
// highest sample. See voice/media/archive.py.

const FULL_SCALE = 127;

export class Peaks {
  /** @param {ArrayBuffer} outline  @param {number} count how many stretches */
  constructor(outline, count) {
    const values = new Int8Array(outline);
    const width = 2 * count;
    if (!values.length || values.length % width) throw new Error("This is no outline of a recording.");
    this.channels = Array.from({ length: values.length / width }, (_, channel) => {
      const own = values.subarray(channel * width, (channel + 1) * width);
      const every = (first) => Float32Array.from({ length: count }, (_, i) => own[2 * i + first] / FULL_SCALE);
      return { low: every(0), high: every(1) };
    });
  }
}
