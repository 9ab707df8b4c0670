// The pages of an agent as a flow, to write it and to read it. The draft is kept by agent.js, as on the other views.
import { FlowCanvas } from "./flow/canvas.js";
import { flowReading } from "./flow/reading.js";
import { flowView } from "./flow/view.js";

customElements.define("flow-canvas", FlowCanvas);
document.addEventListener("alpine:init", () => {
  window.Alpine.data("flowView", flowView);
  window.Alpine.data("flowReading", flowReading);
});
