import { CallPlayer } from "./player/player.js";
import { CallTabs } from "./player/tabs.js";

if (!customElements.get("call-player")) customElements.define("call-player", CallPlayer);
if (!customElements.get("call-tabs")) customElements.define("call-tabs", CallTabs);

// A live call's page is drawn anew every other second: what somebody has opened stays open, and the tab stays chosen.
window.htmx?.config.morphIgnore.push("open", "aria-selected", "tabindex", "data-tab");
