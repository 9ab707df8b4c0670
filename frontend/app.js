// What every page runs. Bundles of single pages (call.js, player.js) come after it and register their Alpine components on
// "alpine:init": Alpine starts when all of them have been read.
import "./htmx.js";
import Alpine from "@alpinejs/csp";
import "./app/confirm.js";
import "./app/controls.js";
import { palette } from "./app/palette.js";
import "./app/progress.js";
import "./app/theme.js";
import "./app/toasts.js";

window.Alpine = Alpine;
Alpine.data("palette", palette);
document.addEventListener("DOMContentLoaded", () => Alpine.start());
