import { CallPanel } from "./call/panel.js";

// Two bundles on one page, or one that was loaded twice, must not define it twice.
if (!customElements.get("call-panel")) customElements.define("call-panel", CallPanel);
