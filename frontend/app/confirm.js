// Asks before something that cannot be undone: hx-confirm="…" on htmx elements, data-confirm="…" on forms or on
// one of a form's buttons. The button that does it is named by data-confirm-label (otherwise "Yes").
export function ask(question, label = "Yes") {
  const dialog = document.getElementById("confirm");
  dialog.querySelector("#confirm-title").textContent = question;
  dialog.querySelector("[data-confirm-button]").textContent = label;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "confirm"), { once: true });
  });
}

document.addEventListener("htmx:confirm", async (event) => {
  const { ctx, issueRequest, dropRequest } = event.detail;
  if (!ctx.confirm) return;
  event.preventDefault();
  if (await ask(ctx.confirm, ctx.sourceElement.dataset.confirmLabel)) issueRequest();
  else dropRequest();
});

document.addEventListener(
  "submit",
  async (event) => {
    const form = event.target;
    const asking = [event.submitter, form].find((element) => element?.dataset.confirm);
    if (!asking || form.dataset.confirmed) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (!(await ask(asking.dataset.confirm, asking.dataset.confirmLabel))) return;
    form.dataset.confirmed = "yes";
    form.requestSubmit(event.submitter);
    delete form.dataset.confirmed;
  },
  { capture: true },
);
