// The Flow view: the draft's steps as a picture and as a list, with the settings of one of them beside it.
import { Inspector } from "./inspector.js";
import { iconsIn, listItem, look, read } from "./looking.js";
import * as model from "./model.js";

export function flowView() {
  // Outside of what Alpine watches: it would wrap what it gives out.
  let config = null;
  let inspector = null;
  let icons = null;
  const flow = () => (config.flow?.steps?.length ? config.flow : model.plain());
  const step = (id) => flow().steps.find((one) => one.id === id);
  return {
    selected: "",
    linking: "",
    running: "",
    hint: "",

    init() {
      config = read("agent-config");
      const names = read("agent-names");
      icons = iconsIn(this.$refs.icons);
      inspector = new Inspector({ schema: read("agent-schema"), names, changed: (path, value, how) => this.edit(path, value, how) });
      this.selected = model.firstOf(flow())?.id ?? "";
      this.$store.draft.attach(this);
      document.addEventListener("callwright:event", ({ detail }) => this.happened(detail));
      document.addEventListener("callwright:step", ({ detail }) => this.lead(detail.step));
      this.draw();
      if (location.hash) this.lead(location.hash.slice(1));
    },

    /** From elsewhere on the page, or from another view, to a step. */
    lead(id) {
      if (!step(id)) return;
      this.select(id);
      this.$refs.canvas.focusStep(id);
    },

    // --- as the draft's view

    get url() {
      return this.$root.dataset.saveUrl;
    },

    body() {
      const data = new FormData();
      data.set("text", JSON.stringify(config));
      return data;
    },

    snapshot() {
      return structuredClone(config);
    },

    async refresh(now, sent) {
      const [merged, written] = model.rebase(sent.flow, config.flow, now.config.flow);
      config = { ...now.config, flow: merged };
      if (!step(this.selected)) this.selected = model.firstOf(flow())?.id ?? "";
      this.draw();
      return written;
    },

    clear() {
      this.$refs.problems.replaceChildren();
    },

    refuse({ problems, message }) {
      const items = problems.map(({ place, message: text }) => {
        const item = document.createElement("li");
        const [, , number] = place.split(".");
        const one = place.startsWith("flow.steps.") && flow().steps[Number(number)];
        item.textContent = one ? `${model.titleOf(one)}: ${text}` : text;
        return item;
      });
      this.$refs.problems.replaceChildren(...items);
      return items[0]?.textContent ?? message;
    },

    // --- drawing

    draw({ form = true } = {}) {
      this.$refs.canvas.show(flow(), { selected: this.selected, running: this.running, icons });
      const { steps } = flow();
      this.$refs.list.replaceChildren(...steps.map((each) => listItem(each, { steps, selected: this.selected, running: this.running })));
      if (form) this.drawForm();
    },

    drawForm() {
      const chosen = step(this.selected);
      const transfers = (config.transfers ?? []).map(({ name }) => name);
      const controls = chosen ? inspector.form(chosen, { steps: flow().steps, transfers }) : [];
      this.$refs.form.replaceChildren(...controls);
      this.$refs.kind.textContent = chosen ? model.KINDS[chosen.kind].title : "";
      this.$refs.title.textContent = chosen ? model.titleOf(chosen) : "No step is chosen";
      this.$refs.everywhere.replaceChildren(...inspector.everywhere(flow()));
      if (chosen) this.$store.draft.at(model.titleOf(chosen));
    },

    // --- changes

    put(next, { select, form = true } = {}) {
      config = { ...config, flow: next };
      if (select !== undefined) this.selected = select;
      this.draw({ form });
      this.$store.draft.changed();
    },

    /** A control of the inspector says something else. */
    edit(path, value, { redraw = false } = {}) {
      if (path[0] === "flow") return this.put(model.withValue(flow(), path.slice(1), value), { form: redraw });
      if (path[0] === "id") return this.rename(value);
      const next = model.withStep(flow(), this.selected, model.withValue(step(this.selected), path, value));
      return this.put(next, { form: redraw });
    },

    rename(wanted) {
      const id = wanted.trim().toLowerCase().replace(/\W+/g, "_");
      const taken = flow().steps.some((one) => one.id === id);
      if (!/^[a-z][a-z0-9_]{0,39}$/.test(id) || taken) {
        this.say(taken ? "Another step has this id." : "An id begins with a letter and has letters, digits and _.");
        return this.drawForm();
      }
      return this.put(model.rename(flow(), this.selected, id), { select: id });
    },

    add(kind) {
      const [next, id] = model.add(flow(), kind, this.selected);
      this.put(next, { select: id });
      this.$refs.canvas.reveal(id);
      this.edited();
      this.say(`${model.KINDS[kind].title} added.`);
    },

    duplicate() {
      if (!step(this.selected)) return;
      const [next, id] = model.duplicate(flow(), this.selected);
      this.put(next, { select: id });
      this.$refs.canvas.focusStep(id);
      this.say("Duplicated.");
    },

    remove() {
      if (!step(this.selected) || flow().steps.length < 2) return this.say("A flow has one step at least.");
      const place = flow().steps.findIndex(({ id }) => id === this.selected);
      const title = model.titleOf(step(this.selected));
      const next = model.remove(flow(), this.selected);
      this.put(next, { select: next.steps[Math.max(0, place - 1)].id });
      this.$refs.canvas.focusStep(this.selected);
      return this.say(`${title} is deleted. Ctrl-Z brings it back.`);
    },

    connect(from, to) {
      const [next, path] = model.connect(flow(), from, to);
      if (!path) return this.say("Nothing comes after this step.");
      this.put(next, { select: from });
      const field = this.$refs.form.querySelector(`[data-path="${[...path.slice(0, -1), "when"].join(".")}"]`);
      if (field) field.focus();
      else this.$refs.canvas.focusStep(from);
      return this.say("Connected.");
    },

    tidy() {
      const steps = flow().steps.map(({ position, ...rest }) => rest);
      this.put({ ...flow(), steps });
      this.$refs.canvas.fit();
    },

    // --- events

    say(words) {
      this.hint = words;
    },

    select(id) {
      if (this.linking && id !== this.linking) {
        const from = this.linking;
        this.linking = "";
        this.connect(from, id);
        return;
      }
      this.selected = id;
      this.draw();
    },

    picked({ target }) {
      const id = target.closest("[data-pick]")?.dataset.pick;
      if (id) this.select(id);
    },

    chosen({ detail }) {
      this.select(detail.id);
    },

    moved({ detail }) {
      this.put(model.withStep(flow(), detail.id, { ...step(detail.id), position: detail.position }), { select: detail.id });
    },

    joined({ detail }) {
      this.connect(detail.from, detail.to);
    },

    /** Into the settings of the step. */
    edited() {
      this.$refs.form.querySelector('[data-path="name"]')?.focus();
    },

    adding(event) {
      const kind = event.target.closest("[data-kind]")?.dataset.kind;
      if (!kind) return;
      event.target.closest("details").open = false;
      this.add(kind);
    },

    left() {
      if (this.$store.draft.dirty && !this.$store.draft.failed) this.$store.draft.save();
    },

    escaped() {
      this.$refs.canvas.focusStep(this.selected);
    },

    focused({ target }) {
      const id = target.closest?.("[data-step]")?.dataset.step;
      if (id && !this.linking && id !== this.selected) this.select(id);
      if (id) this.$refs.canvas.reveal(id);
    },

    keyed(event) {
      const here = event.target.closest("[data-step]")?.dataset.step;
      if (event.ctrlKey || event.metaKey || event.altKey) return this.undone(event);
      if (look(this.$refs.canvas, event.key, here)) return event.preventDefault();
      const does = {
        Enter: () => (this.linking ? this.select(here) : (this.select(here), this.edited())),
        " ": () => this.select(here),
        c: () => this.link(here),
        d: () => this.duplicate(),
        Delete: () => this.remove(),
        Backspace: () => this.remove(),
        a: () => this.$refs.add.focus(),
        "?": () => this.$refs.help.showModal(),
        Escape: () => this.unlink(),
      }[event.key];
      if (!does || (!here && ["Enter", " ", "c", "d", "Delete", "Backspace"].includes(event.key))) return undefined;
      event.preventDefault();
      return does();
    },

    undone(event) {
      if (event.key.toLowerCase() !== "z" || event.altKey) return undefined;
      event.preventDefault();
      return this.$store.draft.step(event.shiftKey ? "redo" : "undo");
    },

    link(id) {
      this.linking = id;
      this.say("Go to the step that comes next and press Enter. Escape leaves it.");
    },

    unlink() {
      this.linking = "";
      this.say("");
    },

    closer() {
      this.$refs.canvas.zoom(1.2);
    },

    farther() {
      this.$refs.canvas.zoom(1 / 1.2);
    },

    fit() {
      this.$refs.canvas.fit();
    },

    help() {
      this.$refs.help.showModal();
    },

    /** The test call says where it is. */
    happened(event) {
      if (event.type === "flow.step") this.running = event.step;
      else if (event.type === "call.ended" || event.type === "call.started") this.running = "";
      else return;
      this.draw({ form: false });
      if (this.running) this.$refs.canvas.reveal(this.running);
    },
  };
}
