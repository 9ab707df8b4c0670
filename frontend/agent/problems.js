// A problem of the draft leads to what it is about: a line of the text, where that is shown; else a control of the Guide, or a step,
// which the picture of the flow shows.
export function leadFromProblems() {
  document.addEventListener("click", ({ target }) => {
    const problem = target.closest?.("[data-problem-path]");
    if (!problem) return;
    const { problemControl, problemPath, problemStep } = problem.dataset;
    const detail = { path: problemPath, control: problemControl, step: problemStep };
    if (!document.dispatchEvent(new CustomEvent("callwright:problem", { detail, cancelable: true }))) return;
    if (problemStep) document.dispatchEvent(new CustomEvent("callwright:step", { detail }));
    else if (problemControl) document.dispatchEvent(new CustomEvent("callwright:control", { detail }));
  });
  document.addEventListener("callwright:control", ({ detail }) => show(detail.control));
  // From another view.
  document.addEventListener("alpine:initialized", () => show(location.hash.slice(1)));
}

function show(name) {
  const form = name && document.getElementById("agent-form");
  if (!form) return;
  const found = form.elements[name] ?? form.querySelector(`[data-rows="${CSS.escape(name)}"]`);
  const control = found instanceof RadioNodeList ? found[0] : found;
  if (!control) return;
  for (let part = control.closest("details"); part; part = part.parentElement.closest("details")) part.open = true;
  const place = control.closest(".field") ?? control;
  place.scrollIntoView({ block: "center" });
  const focusable = (element) => element.checkVisibility?.() ?? true;
  const target = [control, ...place.querySelectorAll("select, input, textarea, button")].find(
    (element) => element.matches("select, input, textarea, button") && focusable(element),
  );
  target?.focus();
}
