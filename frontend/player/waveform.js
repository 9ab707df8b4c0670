// Draws a stereo recording on a canvas: the caller's lane above, the agent's below; what was played is solid, the rest pale.

const COLOURS = ["--caller", "--agent"];
const BAR = 2; // pixels of a bar and of the gap after it
const GAP = 1;
const UNPLAYED = 0.4;

export class Waveform {
  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.canvas = canvas;
    this.peaks = null;
    this.share = 0;
    this.marks = [];
    this.watchers = [new ResizeObserver(() => this.draw()), new MutationObserver(() => this.draw())];
    this.watchers[0].observe(canvas);
    // The theme is the system's, or chosen on <html>.
    this.watchers[1].observe(document.documentElement, { attributeFilter: ["data-theme"] });
    this.scheme = matchMedia("(prefers-color-scheme: dark)");
    this.redraw = () => this.draw();
    this.scheme.addEventListener("change", this.redraw);
  }

  close() {
    for (const watcher of this.watchers) watcher.disconnect();
    this.scheme.removeEventListener("change", this.redraw);
  }

  draw() {
    const { canvas } = this;
    const scale = devicePixelRatio || 1;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (!width) return;
    if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
      canvas.width = Math.round(width * scale);
      canvas.height = Math.round(height * scale);
    }
    const style = getComputedStyle(canvas);
    const colour = (name) => style.getPropertyValue(name);
    const pen = canvas.getContext("2d");
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, width, height);
    const lane = height / 2;
    COLOURS.forEach((name, channel) => this.#lane(pen, width, lane * channel, lane, colour(name), this.peaks?.channels[channel]));
    pen.globalAlpha = 1;
    pen.fillStyle = colour("--color-error");
    for (const mark of this.marks) pen.fillRect(Math.round(mark * width), lane, 1, lane);
    pen.fillStyle = colour("--color-base-content");
    pen.fillRect(Math.min(width - 2, Math.round(this.share * width)), 0, 2, height);
  }

  #lane(pen, width, top, height, colour, channel) {
    const middle = top + height / 2;
    const bars = Math.floor(width / (BAR + GAP));
    pen.fillStyle = colour;
    for (let bar = 0; bar < bars; bar++) {
      const loudest = channel ? loudestOf(channel, bar / bars, (bar + 1) / bars) : 0;
      // A root lifts quiet speech; a silent stretch is a dot.
      const size = Math.max(1, Math.sqrt(loudest) * (height - 8));
      pen.globalAlpha = bar / bars < this.share ? 1 : UNPLAYED;
      pen.fillRect(bar * (BAR + GAP), middle - size / 2, BAR, size);
    }
  }
}

/** The loudest sample of a channel between two places, both 0..1. */
function loudestOf({ low, high }, from, to) {
  let loudest = 0;
  const last = Math.max(Math.floor(from * high.length) + 1, Math.floor(to * high.length));
  for (let i = Math.floor(from * high.length); i < last; i++) loudest = Math.max(loudest, high[i], -low[i]);
  return loudest;
}
