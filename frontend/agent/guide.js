// The form of an agent: the Guide.
import { clearErrors, showErrors } from "./errors.js";

/** Where the browser cannot grow a text area by itself, we do. */
function grow(area) {
  if (CSS.supports("field-sizing", "content")) return;
  area.style.height = "auto";
  area.style.height = `${area.scrollHeight + 2}px`;
}

/** The values of the form's controls, by name. */
function values(form) {
  const data = new FormData(form);
  return new Map([...new Set(data.keys())].map((name) => [name, data.getAll(name)]));
}

const same = (a = [], b = []) => a.length === b.length && a.every((value, place) => value === b[place]);

/** Set the controls of a name to what they were. */
function write(form, name, wanted) {
  const controls = [form.elements.namedItem(name)].flatMap((found) => (found instanceof RadioNodeList ? [...found] : found ? [found] : []));
  controls.forEach((control, place) => {
    if (["checkbox", "radio"].includes(control.type)) control.checked = wanted.includes(control.value);
    else if (wanted[place] !== undefined) control.value = wanted[place];
    control.dispatchEvent(new Event("input", { bubbles: true }));
  });
}

export function agentForm() {
  return {
    init() {
      this.form = this.$root;
      for (const area of this.form.querySelectorAll("textarea")) {
        area.classList.add("field-sizing-content", "max-h-[70vh]", area.rows > 4 ? "min-h-72" : "min-h-16");
        grow(area);
      }
      this.$store.draft.attach(this);
    },

    // --- as the draft's view

    get url() {
      return this.form.dataset.saveUrl;
    },

    body() {
      return new FormData(this.form);
    },

    snapshot() {
      return values(this.form);
    },

    /** The form is made anew by the server; the focus and what was written meanwhile are put back. */
    async refresh(now, sent) {
      const open = [...this.form.querySelectorAll("details[open] > summary")].map((summary) => summary.textContent);
      const { id, selectionStart, selectionEnd } = document.activeElement;
      const response = await fetch(location.pathname);
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      const form = document.adoptNode(page.getElementById("agent-form"));
      const written = values(this.form);
      this.form.replaceWith(form);
      window.htmx.process(form);
      await window.Alpine.nextTick();
      for (const summary of form.querySelectorAll("summary")) if (open.includes(summary.textContent)) summary.parentElement.open = true;
      const later = [...new Set([...written.keys(), ...sent.keys()])].filter((name) => !same(written.get(name), sent.get(name)));
      for (const name of later) write(form, name, written.get(name) ?? []);
      const focused = id ? form.querySelector(`#${CSS.escape(id)}`) : null;
      focused?.focus({ preventScroll: true });
      if (focused && typeof selectionStart === "number") focused.setSelectionRange?.(selectionStart, selectionEnd);
      return later.length > 0;
    },

    clear() {
      clearErrors(this.form);
    },

    refuse({ fields }) {
      return showErrors(this.form, fields);
    },

    /** What other parts of the page show of the form. */
    read() {
      this.$store.draft.name = this.form.elements.name.value.trim() || "Agent without a name";
      this.$store.draft.local = this.form.elements.connection.value === "local";
    },

    // --- events

    changed(event) {
      if (event.target.matches("textarea")) grow(event.target);
      if (event.target.name) this.$store.draft.changed();
    },

    entered({ target }) {
      const label = target.labels?.[0] ?? target.closest("fieldset")?.querySelector("legend");
      if (label) this.$store.draft.at(label.textContent.trim().replace(/\s+/g, " "));
    },

    left({ target, relatedTarget }) {
      if (target.closest("[data-row]")?.contains(relatedTarget)) return; // the row is still being written
      if (this.$store.draft.dirty && !this.$store.draft.failed) this.$store.draft.save();
    },

    save() {
      this.$store.draft.save();
    },
  };
}
