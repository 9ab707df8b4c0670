// Ctrl-K: a combobox over the pages, agents and actions of the workspace. The `palette` view gives
// {items: [{label, hint, href} or {label, hint, action}], call: "/w/…/calls/{id}/"}.
import { toggleTheme } from "./theme.js";

const SHOWN = 12;
const ACTIONS = { theme: toggleTheme, "sign-out": () => document.getElementById("sign-out").requestSubmit() };
const CALL_ID = /^call_[0-9a-z]{26}$/;

/** Every word of the query must occur; what begins a word of the label counts most. */
function score(item, words) {
  const label = item.label.toLowerCase();
  let sum = 0;
  for (const word of words) {
    const at = label.indexOf(word);
    if (at === 0) sum += 4;
    else if (at > 0) sum += label[at - 1] === " " ? 3 : 2;
    else if (item.hint?.toLowerCase().includes(word)) sum += 1;
    else return 0;
  }
  return sum;
}

export function palette() {
  return {
    query: "",
    items: [],
    call: "",
    at: 0,
    failed: false,

    init() {
      const mac = /Mac|iPhone|iPad/.test(navigator.platform);
      for (const hint of document.querySelectorAll("[data-shortcut]")) hint.textContent = mac ? "⌘ K" : "Ctrl K";
      document.addEventListener("keydown", (event) => {
        if (event.key.toLowerCase() !== "k" || event.altKey || event.shiftKey || !(mac ? event.metaKey : event.ctrlKey)) return;
        event.preventDefault();
        if (this.$root.open) this.$root.close();
        else if (!document.querySelector("dialog[open]")) this.$root.showModal();
      });
      // However it was opened: by the keys or by a button.
      new MutationObserver(() => this.$root.open && this.load()).observe(this.$root, { attributeFilter: ["open"] });
      this.$watch("query", () => (this.at = 0));
    },

    async load() {
      this.$refs.input.focus();
      try {
        const response = await fetch(this.$root.dataset.url, { headers: { Accept: "application/json" } });
        if (!response.ok) throw new Error(response.statusText);
        Object.assign(this, await response.json(), { failed: false });
      } catch {
        this.failed = true;
      }
    },

    get found() {
      const query = this.query.trim().toLowerCase();
      const words = query.split(/\s+/).filter(Boolean);
      let items = this.items;
      if (CALL_ID.test(query)) items = [{ label: `Open ${query}`, hint: "Call", href: this.call.replace("{id}", query) }];
      else if (words.length) {
        items = items
          .map((item) => ({ item, rank: score(item, words) }))
          .filter(({ rank }) => rank)
          .sort((a, b) => b.rank - a.rank)
          .map(({ item }) => item);
      }
      return items.slice(0, SHOWN).map((item, index) => ({ ...item, id: `palette-${index}`, index, selected: index === this.at }));
    },

    get activeId() {
      return this.found.length ? `palette-${this.at}` : null;
    },

    get note() {
      if (this.failed) return "The list could not be loaded. Check that the server runs, and try again.";
      return this.items.length && !this.found.length ? "Nothing found. To open a call, paste its whole id." : "";
    },

    point(item) {
      this.at = item.index;
    },

    move(step) {
      const count = this.found.length;
      if (!count) return;
      this.at = (this.at + step + count) % count;
      this.$nextTick(() => document.getElementById(this.activeId)?.scrollIntoView({ block: "nearest" }));
    },

    key(event) {
      if (event.key === "ArrowDown") this.move(1);
      else if (event.key === "ArrowUp") this.move(-1);
      else if (event.key === "Enter" && this.found.length) this.run(this.found[this.at]);
      else return;
      event.preventDefault();
    },

    run(item) {
      this.$root.close();
      if (item.action) ACTIONS[item.action]();
      else location.assign(item.href);
    },

    reset() {
      this.query = "";
      this.at = 0;
    },
  };
}
