// $store.draft: the draft that the page shows and how its saving goes. It is sent a moment after the last change and when a
// control is left; one request at a time, so that each knows the revision that the one before it made. Nothing typed is ever
// thrown away: what could not be saved stays in the page, and leaving it asks first.
//
// The page's view attaches itself, as an object of
//   url, body()          where an edit is sent, and as which FormData
//   snapshot()           what is written now, as only the view understands it
//   refresh(now, sent)   shows the draft `now`, and what was written since the snapshot `sent` on top of it; gives whether there was any
//   refuse(body), clear()  shows what the server finds wrong; gives the rest of it, in words
//   read()               tells other parts of the page what is written (optional)
import { choose } from "./conflict.js";
import { Presence } from "./presence.js";

const DELAY_MS = 900;
const RETRY_MS = 6000;

const clockTime = () => new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });

export function draft() {
  let presence = null; // outside of what Alpine watches: it would wrap the object
  return {
    view: null,
    name: "",
    local: true,
    revision: 0,
    state: "",
    problem: "",
    undoes: "",
    redoes: "",
    conflict: "",
    words: "Changes are saved as you type",
    tone: "",
    dirty: false,
    saving: false,
    failed: false,
    leaving: false,
    refused: null,
    decided: null,
    queue: Promise.resolve(true),
    timer: 0,

    /** A page without a draft has rows, too. */
    init() {
      const known = document.getElementById("draft");
      if (!known) return;
      const told = JSON.parse(known.textContent);
      this.name = told.name;
      this.urls = told.urls;
      this.take(told);
      addEventListener("beforeunload", (event) => {
        if ((this.dirty || this.saving) && !this.leaving) event.preventDefault();
      });
      // A problem is about a step, which the Flow shows, or about a control of the Guide.
      if (told.view !== "Flow") document.addEventListener("callwright:step", ({ detail }) => this.go(`${told.urls.flow}#${detail.step}`));
      if (told.view !== "Guide") document.addEventListener("callwright:control", ({ detail }) => this.go(`${told.urls.guide}#${detail.control}`));
      presence = new Presence(told.urls.editing, told.view, (saved) => this.heard(saved));
    },

    attach(view) {
      this.view = view;
      view.read?.();
    },

    /** What every answer says of the draft. */
    take({ revision, state, problem, undo, redo }) {
      this.revision = revision;
      this.state = state;
      this.problem = problem;
      this.undoes = undo;
      this.redoes = redo;
    },

    /** The draft is another one now: what the page shows of it is asked for again. */
    tell(answer) {
      this.take(answer);
      document.dispatchEvent(new CustomEvent("callwright:saved"));
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
      if (!this.view) return; // rows are on other pages too
      this.view.read?.();
      this.dirty = true;
      if (this.conflict) return;
      this.say("Not saved yet");
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.save(), DELAY_MS);
    },

    /** Saves what is not saved. Gives whether everything is. */
    save() {
      clearTimeout(this.timer);
      this.queue = this.queue.catch(() => false).then(() => this.send());
      return this.queue;
    },

    async send() {
      if (!this.dirty) return true;
      if (this.conflict) return false;
      this.dirty = false;
      this.saving = true;
      this.failed = false;
      this.say("Saving…");
      const sent = this.view.snapshot();
      const answer = await this.post(this.view.url, this.body());
      if (answer.ok) await this.saved(answer.body, sent);
      this.saving = false;
      if (answer.ok) return !this.dirty;
      this.dirty = true;
      return this.notSaved(answer);
    },

    body() {
      const data = this.view.body();
      data.set("revision", this.revision);
      if (this.decided) {
        data.set("seen", this.decided.seen);
        data.set("choices", JSON.stringify(this.decided.choices));
      }
      return data;
    },

    async post(url, body) {
      try {
        const headers = { Accept: "application/json", "X-CSRFToken": csrfToken() };
        const response = await fetch(url, { method: "POST", body, headers });
        return { ok: response.ok, status: response.status, body: await response.json() };
      } catch {
        return { ok: false, status: 0, body: { title: "Not saved", message: "The server cannot be reached." } };
      }
    },

    async saved(body, sent) {
      this.decided = null;
      this.view.clear();
      if (body.merged) await this.refresh(sent);
      else this.tell(body);
      if (this.dirty) return;
      this.say(body.merged ? `Saved ${clockTime()}, with the changes of others` : `Saved ${clockTime()}`);
    },

    notSaved({ status, body }) {
      this.decided = null;
      if (body.conflicts) {
        this.refused = body;
        this.conflict = body.message;
        this.say("Not saved", "text-warning");
        this.decide();
      } else if (body.fields || body.problems) {
        this.say(`Not saved: ${this.view.refuse(body) || "see the marked field"}`, "text-error");
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

    /** Have the person choose, setting by setting, and save that. */
    async decide() {
      const choices = await choose(this.refused.conflicts);
      if (!choices) return;
      this.decided = { choices, seen: this.refused.revision };
      this.conflict = "";
      this.dirty = true;
      this.save();
    },

    // --- what others do

    /** The person is at this control now. */
    at(place) {
      presence?.at(place);
    },

    /** Somebody saved. What is being written here is merged when it is saved itself. */
    heard({ revision, name, yours }) {
      this.queue = this.queue.catch(() => false).then(async () => {
        if (revision <= this.revision || this.dirty || this.conflict) return true;
        await this.refresh(this.view.snapshot());
        const who = yours ? "You changed it in another window" : `${name} changed it`;
        if (!this.dirty) this.say(`${who}, ${clockTime()}`);
        return !this.dirty;
      });
    },

    /** Show the draft as it is now. What was written since the snapshot `sent` stays, and is saved after it. */
    async refresh(sent) {
      const response = await fetch(this.urls.draft, { headers: { Accept: "application/json" } }).catch(() => null);
      if (!response?.ok) return; // the next save merges
      const now = await response.json();
      this.name = now.name;
      const written = await this.view.refresh(now, sent);
      this.tell(now);
      this.view.read?.();
      if (written) this.changed();
      else this.dirty = false;
    },

    // --- undo and redo, of all that anybody did to the draft

    get undoTitle() {
      return this.undoes ? `Undo: ${this.undoes}` : "Nothing to undo";
    },

    get redoTitle() {
      return this.redoes ? `Redo: ${this.redoes}` : "Nothing to redo";
    },

    get cannotUndo() {
      return !this.undoes && !this.dirty;
    },

    get cannotRedo() {
      return !this.redoes || this.dirty;
    },

    /** Undo or redo, once what is written is saved. What is written meanwhile is written on top of it. */
    step(which) {
      clearTimeout(this.timer);
      this.queue = this.queue.catch(() => false).then(() => this.stepped(which));
      return this.queue;
    },

    async stepped(which) {
      if (!(await this.send())) {
        this.complain();
        return false;
      }
      const body = new FormData();
      body.set("revision", this.revision);
      const sent = this.view.snapshot();
      const answer = await this.post(this.urls[which], body);
      await this.refresh(sent);
      if (!answer.ok) this.say(answer.body.message, "text-error");
      else if (answer.body.what) this.say(`${which === "undo" ? "Undone" : "Done again"}: ${answer.body.what}`);
      return !this.dirty;
    },

    // --- leaving

    /** The page is left on purpose: no question asked. */
    leave() {
      this.leaving = true;
      clearTimeout(this.timer);
    },

    /** For a link to another view of the draft: it is followed once the draft is saved. */
    async follow(event) {
      if (!this.dirty && !this.saving) return;
      const { href } = event.currentTarget;
      event.preventDefault();
      await this.go(href);
    },

    async go(href) {
      if (await this.save()) location.assign(href);
      else this.complain();
    },

    /** For a form that acts on the draft: it is sent once the draft is saved. */
    async saveFirst(event) {
      if (!this.dirty && !this.saving) return;
      const { target: form, submitter } = event;
      event.preventDefault();
      if (await this.save()) form.requestSubmit(submitter); // with what its button says
      else this.complain();
    },

    /** For a button whose request reads the draft (hx-trigger="draft-saved"): it asks once the draft is saved. */
    async whenSaved(button) {
      if ((this.dirty || this.saving) && !(await this.save())) return this.complain();
      window.htmx.trigger(button, "draft-saved");
      return undefined;
    },

    async talk() {
      // Without a wait when none is needed: some browsers let a page listen and play only in the moment of the click.
      if ((this.dirty || this.saving) && !(await this.save())) return this.complain();
      document.dispatchEvent(new CustomEvent("callwright:talk"));
      return undefined;
    },

    async publish() {
      if (!(await this.save())) return this.complain();
      const dialog = document.getElementById("publish");
      await window.htmx.ajax("GET", dialog.dataset.url, { target: "#publish-content", swap: "innerHTML" });
      if (!dialog.open) dialog.showModal();
      return undefined;
    },

    complain() {
      const place = document.querySelector("[aria-invalid=true]") ?? document.querySelector("[role=alert]");
      place?.scrollIntoView({ block: "center" });
      place?.focus?.();
    },
  };
}

function csrfToken() {
  return document.querySelector("[name=csrfmiddlewaretoken]").value;
}
