import "./htmx.js";
import Alpine from "@alpinejs/csp";

Alpine.start();
