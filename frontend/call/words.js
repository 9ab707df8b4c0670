// What the machine's codes mean, in words for people.

import { duration } from "./latency.js";

const END_REASONS = {
  agent_ended: "The agent ended the call.",
  caller_ended: "You hung up.",
  inactivity: "Nobody spoke for a while, so the agent hung up.",
  max_duration: "The call reached its longest time.",
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
  engine: "the conversation engine",
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
      return { icon: "hourglass", tone: "warning", text: `${capital(role(event.role))} (${event.provider}) is slow: waiting for ${duration(event.waited)}.` };
    case "provider.failed":
      return { icon: "triangle-alert", tone: "error", text: `${capital(role(event.role))} (${event.provider}) failed: ${sentence(event.error)} ${capital(sentence(event.then))}` };
    case "call.inactive":
      return event.step === "farewell"
        ? { icon: "timer", tone: "warning", text: `Silence for ${duration(event.silent_for)}: the agent says goodbye.` }
        : { icon: "timer", tone: "quiet", text: `Silence for ${duration(event.silent_for)}: the agent asks whether you are there.` };
    default:
      return undefined;
  }
}

function sentence(text = "") {
  const trimmed = text.trim();
  return !trimmed || /[.!?]$/.test(trimmed) ? trimmed : `${trimmed}.`;
}
