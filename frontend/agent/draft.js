// $store.draft: the draft of the page and how its saving goes. It is sent a moment after the last change and when a control is
// left; one request at a time, so that each knows the revision that the one before it made. Nothing typed is ever thrown away:
// what could not be saved stays in the form, and leaving the page asks first.
import { clearErrors, showErrors } from "./errors.js";

const DELAY_MS = 900;
const RETRY_MS = 6000;

const clockTime = () => new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });

export function draft() {
  return {
    form: null,
    name: "",
    local: true,
    state: "",
    problem: "",
    conflict: "",
    words: "Changes are saved as you type",
    tone: "",
    dirty: false,
    saving: false,
    failed: false,
    leaving: false,
    theirs: "",
    queue: Promise.resolve(true),
    timer: 0,

    attach(form) {
      this.form = form;
      this.state = form.dataset.state;
      this.problem = form.dataset.problem;
      this.read();
      addEventListener("beforeunload", (event) => {
        if ((this.dirty || this.saving) && !this.leaving) event.preventDefault();
      });
    },

    /** What other parts of the page show of the form. */
    read() {
      this.name = this.form.elements.name.value.trim() || "Agent without a name";
      this.local = this.form.elements.connection.value === "local";
    },

    get isAhead() {
      return this.state === "changed";
    },

    get isLive() {
      return this.state === "published" && !this.dirty;
    },

    say(words, tone = "") {
      this.words = words;
      this.tone = tone;
    },

    changed() {
      if (!this.form) return; // rows are on other pages too
      this.read();
      this.dirty = true;
      if (this.conflict) return;
      this.say("Not saved yet");
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.save(), DELAY_MS);
    },

    /** Saves what is not saved. Gives whether everything is. */
    save() {
      clearTimeout(this.timer);
      this.queue = this.queue.then(() => this.send());
      return this.queue;
    },

    async send() {
      if (!this.dirty) return true;
      if (this.conflict) return false;
      this.dirty = false;
      this.saving = true;
      this.failed = false;
      this.say("Saving…");
      const answer = await this.post();
      this.saving = false;
      if (answer.ok) return this.saved(answer.body);
      this.dirty = true;
      return this.refused(answer);
    },

    async post() {
      try {
        const headers = { Accept: "application/json" };
        const response = await fetch(this.form.dataset.saveUrl, { method: "POST", body: new FormData(this.form), headers });
        return { ok: response.ok, status: response.status, body: await response.json() };
      } catch {
        return { ok: false, status: 0, body: { title: "Not saved", message: "The server cannot be reached." } };
      }
    },

    saved({ revision, state, problem }) {
      this.form.elements.revision.value = revision;
      this.state = state;
      this.problem = problem;
      clearErrors(this.form);
      document.dispatchEvent(new CustomEvent("callwright:saved"));
      if (this.dirty) return false;
      this.say(`Saved ${clockTime()}`);
      return true;
    },

    refused({ status, body }) {
      if (body.error_code === "stale_revision") {
        this.conflict = body.message;
        this.theirs = body.revision;
        this.say("Not saved", "text-warning");
      } else if (body.fields) {
        const rest = showErrors(this.form, body.fields);
        this.say(`Not saved: ${rest || "see the marked field"}`, "text-error");
      } else {
        this.failed = true;
        this.say(`Not saved: ${body.message || body.title}`, "text-error");
        if (!status || status >= 500) this.timer = setTimeout(() => this.save(), RETRY_MS);
      }
      return false;
    },

    retry() {
      this.save();
    },

    keepMine() {
      this.form.elements.revision.value = this.theirs;
      this.conflict = "";
      this.dirty = true;
      this.save();
    },

    loadTheirs() {
      this.leave();
      location.reload();
    },

    /** The page is left on purpose: no question asked. */
    leave() {
      this.leaving = true;
      clearTimeout(this.timer);
    },

    /** For a form that acts on the draft: it is sent once the draft is saved. */
    async saveFirst(event) {
      if (!this.dirty && !this.saving) return;
      const form = event.target;
      event.preventDefault();
      if (await this.save()) form.submit();
    },

    async talk() {
      // Without a wait when none is needed: some browsers let a page listen and play only in the moment of the click.
      if ((this.dirty || this.saving) && !(await this.save())) return this.complain();
      document.dispatchEvent(new CustomEvent("callwright:talk"));
    },

    async publish() {
      if (!(await this.save())) return this.complain();
      const dialog = document.getElementById("publish");
      await window.htmx.ajax("GET", dialog.dataset.url, { target: "#publish-content", swap: "innerHTML" });
      if (!dialog.open) dialog.showModal();
    },

    complain() {
      const place = this.form.querySelector("[aria-invalid=true]") ?? document.querySelector("[role=alert]");
      place?.scrollIntoView({ block: "center" });
      place?.focus?.();
    },
  };
}

/** Where the browser cannot grow a text area by itself, we do. */
function grow(area) {
  if (CSS.supports("field-sizing", "content")) return;
  area.style.height = "auto";
  area.style.height = `${area.scrollHeight + 2}px`;
}

export function agentForm() {
  return {
    init() {
      for (const area of this.$root.querySelectorAll("textarea")) {
        area.classList.add("field-sizing-content", "max-h-[70vh]", area.rows > 4 ? "min-h-72" : "min-h-16");
        grow(area);
      }
      this.$store.draft.attach(this.$root);
    },

    changed(event) {
      if (event.target.matches("textarea")) grow(event.target);
      if (event.target.name) this.$store.draft.changed();
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
