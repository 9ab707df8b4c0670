// The transcript beside the recording: it lights up what is being said, and a click on it plays from there.

const HANDS_OFF_MS = 4000; // who has scrolled is not scrolled for so long

export class Follower {
  /**
   * @param {HTMLElement} transcript holds [data-said] entries and [data-word] words with data-start and data-end in seconds
   * @param {AbortSignal} signal its end
   */
  constructor(transcript, signal) {
    this.transcript = transcript;
    const timed = (selector) =>
      [...transcript.querySelectorAll(selector)].map((element) => ({ element, start: Number(element.dataset.start), end: Number(element.dataset.end) }));
    this.entries = timed("[data-said]");
    this.words = timed("[data-word]").sort((a, b) => a.start - b.start);
    this.touched = 0;
    this.now = new Set();
    for (const type of ["wheel", "touchmove"]) window.addEventListener(type, () => (this.touched = performance.now()), { passive: true, signal });
  }

  /** @param {number} seconds the place being played @param {boolean} playing */
  show(seconds, playing) {
    const entries = this.entries.filter(({ start, end }) => start <= seconds && seconds < end);
    const current = new Set([...entries, ...wordsAt(this.words, seconds)].map(({ element }) => element));
    for (const element of this.now) if (!current.has(element)) delete element.dataset.now;
    for (const element of current) element.dataset.now = "";
    const began = entries.find(({ element }) => !this.now.has(element));
    this.now = current;
    if (began && playing && performance.now() - this.touched > HANDS_OFF_MS) began.element.scrollIntoView({ block: "nearest" });
  }
}

/** The words that sound at a time. Caller and agent may speak at once, so that there may be several. */
export function wordsAt(words, seconds) {
  let [low, high] = [0, words.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (words[middle].start <= seconds) low = middle + 1;
    else high = middle;
  }
  const found = [];
  // Words are short: one that began long ago is over.
  for (let i = low - 1; i >= 0 && words[i].start > seconds - 3; i--) if (seconds < words[i].end) found.push(words[i]);
  return found;
}

/** Where a click or a button in the page wants to go, in seconds; undefined for anything else. */
export function wanted(target) {
  const button = target.closest("[data-seek]");
  if (button) return Number(button.dataset.seek);
  const word = target.closest("[data-word]");
  // Somebody who selects text does not want to hear it.
  return word && getSelection().isCollapsed ? Number(word.dataset.start) : undefined;
}
