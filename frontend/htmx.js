// Its own module, so that window.htmx is set before the extensions, which app.js imports next, look for it.
import htmx from "htmx.org";

window.htmx = htmx;
