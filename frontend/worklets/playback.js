// Runs on the audio thread: plays the agent's frames through the jitter buffer, and tells how it goes ten times a second.

import { JitterBuffer } from "../call/audio/jitter.js";

const REPORT_SECONDS = 0.1;

class Playback extends AudioWorkletProcessor {
  constructor() {
    super();
    this.buffer = new JitterBuffer(sampleRate);
    this.reported = 0;
    this.port.onmessage = ({ data }) => {
      if (data.frame) this.buffer.push(new Int16Array(data.frame));
      if (data.clear) {
        this.buffer.clear();
        this.#report();
      }
    };
  }

  #report() {
    const { depth, delay, target, playing, played, underruns } = this.buffer;
    this.reported = this.buffer.now;
    this.port.postMessage({ depth, delay, target, playing, played, underruns });
  }

  process(_inputs, [output]) {
    const was = this.buffer.playing;
    this.buffer.read(output[0]);
    for (let channel = 1; channel < output.length; channel++) output[channel].set(output[0]);
    if (was !== this.buffer.playing || this.buffer.now - this.reported >= REPORT_SECONDS * sampleRate) this.#report();
    return true;
  }
}

registerProcessor("playback", Playback);
