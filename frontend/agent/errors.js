// What the server finds wrong, said at the controls it is about.
export function clearErrors(form) {
  for (const message of form.querySelectorAll("[data-field-error]")) message.remove();
  for (const control of form.querySelectorAll("[aria-invalid]")) {
    control.removeAttribute("aria-invalid");
    control.removeAttribute("aria-errormessage");
  }
}

/** Shows `fields` (name of the control: message). Gives the messages that belong to no control. */
export function showErrors(form, fields) {
  clearErrors(form);
  const rest = [];
  for (const [name, message] of Object.entries(fields)) {
    const control = form.elements[name] ?? form.querySelector(`[data-rows="${name}"]`);
    const field = control?.closest?.(".field");
    if (!field || control.type === "hidden") {
      rest.push(message);
      continue;
    }
    const line = document.createElement("p");
    line.className = "field-error";
    line.id = `${control.id || name}_error`;
    line.dataset.fieldError = name;
    line.textContent = message;
    field.append(line);
    if (!control.dataset.rows) {
      control.setAttribute("aria-invalid", "true");
      control.setAttribute("aria-errormessage", line.id);
    }
    for (let part = control.closest("details"); part; part = part.parentElement.closest("details")) part.open = true;
  }
  return rest.join(" ");
}
