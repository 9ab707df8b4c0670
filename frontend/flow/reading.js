// The Flow view for who may only look: the steps as a picture and as a list, and what is set on one of them.
import { words } from "./inspector.js";
import { iconsIn, listItem, look, read } from "./looking.js";
import * as model from "./model.js";

const TITLES = ["id", "kind", "name", "position"];

export function flowReading() {
  // Outside of what Alpine watches: it would wrap what it gives out.
  let flow = null;
  let names = null;
  let icons = null;
  const step = (id) => flow.steps.find((one) => one.id === id);
  return {
    selected: "",

    init() {
      const written = read("agent-flow");
      flow = written?.steps?.length ? written : model.plain();
      names = Object.assign({}, ...Object.values(read("agent-names")));
      icons = iconsIn(this.$refs.icons);
      this.selected = model.firstOf(flow)?.id ?? "";
      this.draw();
      if (step(location.hash.slice(1))) {
        this.select(location.hash.slice(1));
        this.$refs.canvas.focusStep(this.selected);
      }
    },

    draw() {
      const { selected } = this;
      this.$refs.canvas.show(flow, { selected, running: "", icons });
      this.$refs.list.replaceChildren(...flow.steps.map((one) => listItem(one, { steps: flow.steps, selected })));
      const chosen = step(selected);
      this.$refs.kind.textContent = chosen ? model.KINDS[chosen.kind].title : "";
      this.$refs.title.textContent = chosen ? model.titleOf(chosen) : "No step is chosen";
      this.$refs.settings.replaceChildren(...settingsOf(chosen ?? {}, TITLES, this.said).flat());
      this.$refs.everywhere.replaceChildren(...settingsOf({ start: flow.start, routes: flow.routes }, [], this.said).flat());
    },

    /** A value in words: what it refers to by its name. */
    said(value) {
      if (Array.isArray(value)) return value.map((each) => flowValue(each)).join("\n");
      return flowValue(value);

      function flowValue(each) {
        if (each && typeof each === "object") {
          return Object.entries(each).filter(([, one]) => isSet(one)).map(([name, one]) => `${words(name)}: ${flowValue(one)}`).join(", ");
        }
        const known = step(each);
        return known ? model.titleOf(known) : (names[each] ?? (each === true ? "yes" : String(each)));
      }
    },

    select(id) {
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

    focused({ target }) {
      const id = target.closest?.("[data-step]")?.dataset.step;
      if (!id) return;
      if (id !== this.selected) this.select(id);
      this.$refs.canvas.reveal(id);
    },

    keyed(event) {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (look(this.$refs.canvas, event.key, event.target.closest("[data-step]")?.dataset.step)) event.preventDefault();
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
  };
}

const isSet = (value) => ![undefined, null, "", false].includes(value) && (typeof value !== "object" || Object.keys(value).length > 0);

function settingsOf(values, without, said) {
  return Object.entries(values)
    .filter(([name, value]) => !without.includes(name) && isSet(value))
    .map(([name, value]) => {
      const term = document.createElement("dt");
      term.className = "text-muted";
      term.textContent = words(name);
      const text = document.createElement("dd");
      text.className = "mb-2 wrap-anywhere whitespace-pre-wrap";
      text.textContent = said(value);
      return [term, text];
    });
}
