// A turn's latency in words and proportions: from the end of the caller's speech to the first sound of the answer.

/** Seconds within which an answer feels quick, and within which it is still a conversation. */
export const BUDGET = { quick: 1.2, fair: 2.0 };

export const PARTS = [
  { key: "end_of_turn", short: "EOT", label: "End of turn", meaning: "Silence waited for until the caller had surely finished", fill: "fill-caller" },
  { key: "stt", short: "STT", label: "Recognition", meaning: "Words recognised after the end of the speech", fill: "fill-caller/60" },
  { key: "llm", short: "LLM", label: "Model", meaning: "Until the first words of the answer were ready to speak", fill: "fill-agent" },
  { key: "tts", short: "TTS", label: "Voice", meaning: "Until the first sound of the voice was made", fill: "fill-agent/60" },
  { key: "playout", short: "playout", label: "Playout", meaning: "Network, jitter buffer and sound card", fill: "fill-base-content/50" },
];

/** What else spans are named after. */
const OTHERS = [
  { key: "tool", label: "Tool", meaning: "A tool that the model used", fill: "fill-tool" },
  { key: "thinking", label: "Thinking aloud", meaning: "Said before the answer was there", fill: "fill-base-content/50" },
];
const partOf = (name) => [...PARTS, ...OTHERS].find(({ key }) => key === name) ?? { label: name, meaning: "", fill: "fill-base-content/50" };

export const milliseconds = (seconds) => Math.round(seconds * 1000);

/** 0.612 is "612 ms", 12.3 is "12.3 s". */
export function duration(seconds) {
  if (seconds < 0.9995) return `${milliseconds(seconds)} ms`;
  if (seconds < 59.95) return `${String(Number(seconds.toFixed(1)))} s`;
  return `${Math.floor(Math.round(seconds) / 60)} min ${Math.round(seconds) % 60} s`;
}

/** 4.2 is "0:04", 3725 is "1:02:05". */
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const pad = (value) => String(value).padStart(2, "0");
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return hours ? `${hours}:${pad(minutes)}:${pad(whole % 60)}` : `${minutes}:${pad(whole % 60)}`;
}

/** How a total compares with the budget: a word, a shape and a colour, so that none is needed alone. */
export function verdict(total) {
  if (total <= BUDGET.quick) return { word: "quick", shape: "●", tone: "text-success" };
  if (total <= BUDGET.fair) return { word: "fair", shape: "▲", tone: "text-warning" };
  return { word: "slow", shape: "■", tone: "text-error" };
}

/** "612 ms = EOT 180 · STT 40 · LLM 240 · TTS 95 · playout 57", without parts that the turn did not have. */
export function summary(latency) {
  const parts = PARTS.filter(({ key }) => latency[key]).map(({ key, short }) => `${short} ${milliseconds(latency[key])}`);
  return [`${milliseconds(latency.total)} ms`, parts.join(" · ")].filter(Boolean).join(" = ");
}

/**
 * The waterfall's bars on a common axis: percentages of the time from the first span's start to the last one's end.
 * Without spans the parts follow each other.
 */
export function waterfall(latency) {
  const spans = latency.spans?.length ? latency.spans : inOrder(latency);
  const start = Math.min(...spans.map((span) => span.start));
  const length = Math.max(...spans.map((span) => span.end)) - start || 1;
  return spans.map(({ name, start: from, end, detail }) => {
    const part = partOf(name);
    return {
      label: part.label,
      detail: detail || part.meaning,
      fill: part.fill,
      offset: from - start,
      length: end - from,
      left: (100 * (from - start)) / length,
      width: (100 * (end - from)) / length,
    };
  });
}

function inOrder(latency) {
  let end = 0;
  return PARTS.filter(({ key }) => latency[key]).map(({ key }) => ({ name: key, start: end, end: (end += latency[key]) }));
}
