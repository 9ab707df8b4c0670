// The pages of an agent and of connections: the draft that saves itself, the size of the prompt, the voice to hear.
import { connectionForm } from "./agent/connection.js";
import { draft } from "./agent/draft.js";
import { agentForm } from "./agent/guide.js";
import { listen } from "./agent/listen.js";
import { promptMeter } from "./agent/model.js";
import { leadFromProblems } from "./agent/problems.js";
import { rows } from "./agent/rows.js";
import { sourceChoice } from "./agent/sources.js";
import { voiceChoice } from "./agent/voice.js";

leadFromProblems();

document.addEventListener("alpine:init", () => {
  const { Alpine } = window;
  Alpine.store("draft", draft());
  Alpine.data("agentForm", agentForm);
  Alpine.data("connectionForm", connectionForm);
  Alpine.data("listen", listen);
  Alpine.data("promptMeter", promptMeter);
  Alpine.data("rows", rows);
  Alpine.data("sourceChoice", sourceChoice);
  Alpine.data("voiceChoice", voiceChoice);
});
