// The page of an agent as a flow. Its draft is kept by agent.js, as on the other views.
import { FlowCanvas } from "./flow/canvas.js";
import { flowView } from "./flow/view.js";

customElements.define("flow-canvas", FlowCanvas);
document.addEventListener("alpine:init", () => window.Alpine.data("flowView", flowView));
