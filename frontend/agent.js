// The pages of an agent and of connections: the draft that saves itself, the size of the prompt, the voice to hear.
import { connectionForm } from "./agent/connection.js";
import { agentForm, draft } from "./agent/draft.js";
import { modelChoice, promptMeter } from "./agent/model.js";
import { voicePreview } from "./agent/voice.js";

document.addEventListener("alpine:init", () => {
  const { Alpine } = window;
  Alpine.store("draft", draft());
  Alpine.data("agentForm", agentForm);
  Alpine.data("connectionForm", connectionForm);
  Alpine.data("modelChoice", modelChoice);
  Alpine.data("promptMeter", promptMeter);
  Alpine.data("voicePreview", voicePreview);
});
