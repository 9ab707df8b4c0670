// Messages in the corner. The server writes them into #toasts; scripts call toast(), or the server sends the header
// HX-Trigger: {"toast": {"text": "…", "level": "success"}}. Errors stay until they are dismissed.
const STAY_MS = 6000;

export function toast(text, level = "info") {
  const item = document.getElementById("toast-template").content.firstElementChild.cloneNode(true);
  item.classList.add(`toast-${level}`);
  item.querySelector("[data-toast-text]").textContent = text;
  document.getElementById("toasts").append(item);
}

function dismissLater(item) {
  const leave = () => (item.matches(":hover, :focus-within") ? setTimeout(leave, STAY_MS / 2) : item.remove());
  setTimeout(leave, STAY_MS);
}

function arrived(item) {
  const { toast: kind, toastKey: key } = item.dataset;
  // A failure that repeats itself, as a poll's does, is said once.
  if (key) for (const old of document.querySelectorAll("[data-toast-key]")) if (old !== item && old.dataset.toastKey === key) old.remove();
  if (kind !== "stay" && !item.classList.contains("toast-error")) dismissLater(item);
}

document.addEventListener("DOMContentLoaded", () => {
  const region = document.getElementById("toasts");
  for (const item of region.querySelectorAll("[data-toast]")) arrived(item);
  new MutationObserver((changes) => {
    for (const { addedNodes } of changes) for (const node of addedNodes) if (node.dataset?.toast !== undefined) arrived(node);
  }).observe(region, { childList: true });
});

document.addEventListener("click", (event) => event.target.closest("[data-toast-close]")?.closest("[data-toast]").remove());
document.addEventListener("toast", ({ detail }) => toast(detail.text, detail.level));
