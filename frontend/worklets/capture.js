// Runs on the audio thread: the microphone's samples become the frames that the call's socket carries.

import { Framer } from "../call/audio/framer.js";

class Capture extends AudioWorkletProcessor {
  constructor() {
    super();
    this.framer = new Framer(sampleRate, (pcm, level) => this.port.postMessage({ frame: pcm.buffer, level }, [pcm.buffer]));
    this.silence = new Float32Array(128);
    this.port.onmessage = ({ data }) => {
      if ("muted" in data) this.framer.muted = data.muted;
    };
  }

  /** While devices are being switched there is no input: silence keeps the far end's clock going. */
  process([input]) {
    this.framer.push(input[0] ?? this.silence);
    return true;
  }
}

registerProcessor("capture", Capture);
