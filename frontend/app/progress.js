// A line on top of the page while a request takes over 300 ms. Polls are marked data-quiet and do not count.
const PATIENCE_MS = 300;
let running = 0;
let timer;

const quiet = (event) => event.detail?.ctx?.sourceElement?.closest("[data-quiet]");

document.addEventListener("htmx:before:request", (event) => {
  if (quiet(event) || running++) return;
  timer = setTimeout(() => (document.getElementById("progress").hidden = false), PATIENCE_MS);
});

document.addEventListener("htmx:finally:request", (event) => {
  if (quiet(event) || --running > 0) return;
  running = 0;
  clearTimeout(timer);
  document.getElementById("progress").hidden = true;
});
