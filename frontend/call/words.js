// What the machine's codes mean, in words for people.

import { duration } from "./latency.js";

const END_REASONS = {
  agent_ended: "The agent ended the call.",
  caller_ended: "You hung up.",
  transferred: "The caller was transferred.",
  voicemail: "A machine answered.",
  no_audio: "No audio arrived.",
  inactivity: "Nobody spoke for a while, so the agent hung up.",
  max_duration: "The call reached its longest time.",
  budget_spent: "The money for calls was used up.",
  error: "Something failed, so the call had to end.",
  connection_lost: "The connection was lost for too long.",
  server_shutdown: "The server was stopped.",
  process_lost: "The server broke down in mid-call.",
};

export const endReason = (reason) => END_REASONS[reason] ?? `The call ended (${reason}).`;

const ROLES = {
  stt: "speech recognition",
  tts: "the voice",
  llm: "the language model",
  realtime: "the speech-to-speech model",
  end_of_turn: "the end-of-turn model",
  vad: "voice detection",
  transport: "the line",
  knowledge: "the knowledge base",
  tool: "a tool",
  agent: "the agent",
  engine: "the conversation engine",
  flow: "the flow of the agent",
};

export const role = (name) => ROLES[name] ?? name;

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** The notes that events leave in the transcript: {icon, tone, text}, or undefined for events that leave none. */
export function note(event) {
  switch (event.type) {
    case "caller.interruption_ignored":
      return event.reason === "no_words"
        ? { icon: "ear", tone: "quiet", text: "A sound without words did not interrupt the agent." }
        : { icon: "ear", tone: "quiet", text: `“${event.text}” was taken as listening along and did not interrupt the agent.` };
    case "provider.slow":
      return event.role === "transport"
        ? { icon: "hourglass", tone: "quiet", text: `No audio has arrived from you for ${duration(event.waited)}.` }
        : { icon: "hourglass", tone: "warning", text: `${capital(role(event.role))} (${event.provider}) is slow: waiting for ${duration(event.waited)}.` };
    case "provider.failed":
      return { icon: "triangle-alert", tone: "error", text: `${capital(role(event.role))} (${event.provider}) failed: ${sentence(event.error)} ${capital(sentence(event.then))}` };
    case "call.inactive":
      return event.step === "farewell"
        ? { icon: "timer", tone: "warning", text: `Silence for ${duration(event.silent_for)}: the agent says goodbye.` }
        : { icon: "timer", tone: "quiet", text: `Silence for ${duration(event.silent_for)}: the agent asks whether you are there.` };
    case "call.budget_spent":
      return event.step === "warning"
        ? { icon: "hourglass", tone: "warning", text: "The money for calls is nearly used up: the caller is told." }
        : { icon: "hourglass", tone: "warning", text: "The money for calls is used up: the agent says goodbye." };
    case "caller.judged":
      return { icon: "user-search", tone: "quiet", text: `${JUDGED[event.verdict] ?? event.verdict}${because(event.reason)}.` };
    case "caller.message":
      return { icon: "braces", tone: "quiet", text: "The page sent the agent a message.", detail: pretty(event.data) };
    case "agent.message":
      return { icon: "braces", tone: "quiet", text: "The agent sent the page a message.", detail: pretty(event.data) };
    case "agent.digits":
      return { icon: "grid-3x3", tone: "quiet", text: `The agent pressed ${event.digits}.` };
    case "agent.logged":
      return logged(event);
    case "variable.set":
      return { icon: "braces", tone: "quiet", text: `${event.by} set ${event.name} to ${JSON.stringify(event.value)}.` };
    case "agent.backchannel":
      return { icon: "ear", tone: "quiet", text: `The agent said “${event.text}” to show that it listens.` };
    case "guardrail.applied":
      return { icon: "shield-check", tone: "warning", text: guarded(event) };
    case "webhook.asked": {
      const detail = pretty({ request: event.request, answer: event.answer });
      return event.error
        ? { icon: "triangle-alert", tone: "error", text: `${event.url} was asked before the call, and its answer was not used: ${sentence(event.error)}`, detail }
        : { icon: "zap", tone: "quiet", text: `${event.url} was asked before the call (${duration(event.took)}).`, detail };
    }
    case "flow.step":
      return { icon: "arrow-right", tone: "quiet", text: `Step “${event.name}”${because(event.because)}.` };
    case "flow.asked":
      return { icon: "speech", tone: "quiet", text: `${event.slot} ${WHY[event.why] ?? event.why}${event.attempt > 1 ? `, for the ${event.attempt}. time` : ""}.` };
    case "flow.heard":
      return answer(event);
    case "claim.doubted":
      return { icon: "shield-check", tone: "warning", text: `The agent claimed “${event.claim}”, and no tool had done it. ${capital(sentence(event.then))}` };
    default:
      return changed(event);
  }
}

function guarded({ kind, rule, then }) {
  if (kind === "topic") return `You named “${rule}”, which the agent refuses to talk about.`;
  return `“${rule}”, which the agent never says, ${then === "replaced" ? "was left out of what it said" : "was said all the same"}.`;
}

const WHY = { first: "was asked for", again: "was asked for again", confirm: "was read back" };

const BY = { keypad: ", from the keypad", model: ", as the language model understood it" };

/** What was made of the caller's answer to a field. */
function answer({ slot, verdict, value, by, detail }) {
  switch (verdict) {
    case "filled":
    case "confirmed":
      return { icon: "check", tone: "quiet", text: `${slot} was ${verdict === "filled" ? "understood" : "confirmed"} as ${JSON.stringify(value)}${BY[by] ?? ""}.` };
    case "skipped":
      return { icon: "check", tone: "quiet", text: `${slot} was left out.` };
    case "denied":
      return { icon: "x", tone: "quiet", text: `${slot} is not ${JSON.stringify(value)}.` };
    default:
      return { icon: "circle-alert", tone: "warning", text: `The answer for ${slot} ${verdict === "refused" ? "could not be used" : "was not understood"}${because(detail)}.` };
  }
}

function changed(event) {
  switch (event.type) {
    case "call.setting":
      return { icon: "arrow-right-left", tone: "quiet", text: `The call goes on with another ${event.name}: ${event.value}.` };
    case "call.handed_off":
      return { icon: "arrow-right-left", tone: "quiet", text: `${event.agent} took over the call${because(event.message)}.` };
    case "transfer.started":
      return { icon: "phone-forwarded", tone: "quiet", text: `You are being transferred to ${event.to}${event.warm ? ", after a word to them" : ""}.` };
    case "transfer.finished":
      return event.outcome === "failed"
        ? { icon: "phone-off", tone: "error", text: `The transfer to ${event.to} failed${because(event.detail)}.` }
        : undefined; // said by the message that the page gets in place of a line to them
    case "recording.paused":
      return { icon: "pause", tone: "quiet", text: `The recording is paused${because(event.reason)}.` };
    case "recording.resumed":
      return { icon: "mic", tone: "quiet", text: "The recording goes on." };
    default:
      return undefined;
  }
}

const JUDGED = {
  human: "A person answered",
  machine_voicemail: "A voicemail answered",
  machine_ivr: "A phone menu answered",
  machine_unavailable: "A machine said that nobody can be reached",
  uncertain: "It is not certain who answered",
};

const TONES = { warning: "warning", warn: "warning", error: "error", critical: "error" };

function logged({ name, level, text, value, data }) {
  const said = [text ? `${name}: ${text}` : name, value ?? ""].filter((part) => part !== "").join(" = ");
  const detail = Object.keys(data ?? {}).length ? pretty(data) : "";
  return { icon: "square-terminal", tone: TONES[level] ?? "quiet", text: said, detail };
}

/** Where the caller would be now if this page were a phone. */
export const transferred = (to, label) => `On a phone you would be transferred to ${label ? `${label} (${to})` : to} now.`;

const pretty = (data) => JSON.stringify(data, null, 2);

const because = (reason = "") => (reason.trim() ? ` (${reason.trim().replace(/\.$/, "")})` : "");

function sentence(text = "") {
  const trimmed = text.trim();
  return !trimmed || /[.!?]$/.test(trimmed) ? trimmed : `${trimmed}.`;
}
