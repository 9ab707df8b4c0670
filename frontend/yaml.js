// The page of an agent as text. Its draft is kept by agent.js, as on the other views.
import { yamlView } from "./yaml/view.js";

document.addEventListener("alpine:init", () => window.Alpine.data("yamlView", yamlView));
