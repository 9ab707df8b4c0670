// The YAML view: the draft's text in an editor, its mistakes at their lines.
import { setDiagnostics } from "@codemirror/lint";
import { editor, replaceAll } from "./editor.js";

export function yamlView() {
  // Outside of what Alpine watches: it would wrap the editor's own objects.
  let view = null;
  return {
    init() {
      const { editor: place, source } = this.$refs;
      const schema = JSON.parse(document.getElementById("agent-schema").textContent);
      const changed = () => this.$store.draft.changed();
      view = editor(place, { text: source.value, schema, longest: Number(this.$root.dataset.longest), changed });
      view.contentDOM.addEventListener("blur", () => this.$store.draft.dirty && !this.$store.draft.failed && this.$store.draft.save());
      view.contentDOM.addEventListener("keyup", () => this.at());
      this.$store.draft.attach(this);
    },

    at() {
      const line = view.state.doc.lineAt(view.state.selection.main.head).number;
      this.$store.draft.at(`line ${line}`);
    },

    // --- as the draft's view

    get url() {
      return this.$root.dataset.saveUrl;
    },

    body() {
      const data = new FormData();
      data.set("text", view.state.doc.toString());
      return data;
    },

    snapshot() {
      return view.state.doc.toString();
    },

    async refresh(now, sent) {
      const written = replaceAll(view, sent, now.yaml);
      this.clear();
      return written;
    },

    clear() {
      this.show([]);
    },

    refuse({ problems, message }) {
      this.show(problems ?? []);
      return message;
    },

    /** Marks the mistakes in the text, and lists them below it. */
    show(problems) {
      const { doc } = view.state;
      const marks = problems.map(({ line, column, message }) => {
        const row = doc.line(Math.min(Math.max(line, 1), doc.lines));
        const from = Math.min(row.from + column - 1, row.to);
        return { from, to: row.to, severity: "error", message };
      });
      view.dispatch(setDiagnostics(view.state, marks));
      this.$refs.problems.replaceChildren(...problems.map((problem) => this.item(problem)));
      this.$refs.problems.hidden = !problems.length;
    },

    item({ line, message }) {
      const item = document.createElement("li");
      const button = document.createElement("button");
      button.type = "button";
      button.className = "link";
      button.textContent = `Line ${line}`;
      button.addEventListener("click", () => this.go(line));
      item.append(button, ` ${message}`);
      return item;
    },

    go(line) {
      const row = view.state.doc.line(Math.min(line, view.state.doc.lines));
      view.dispatch({ selection: { anchor: row.from }, scrollIntoView: true });
      view.focus();
    },

    /** A file takes the place of the text; undo brings that back. */
    async upload({ target }) {
      const [file] = target.files;
      target.value = "";
      if (!file) return;
      if (file.size > 4 * Number(this.$root.dataset.longest)) {
        this.$store.draft.say("That file is too large for an agent.", "text-error");
        return;
      }
      const text = await file.text();
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
      this.$store.draft.save();
    },
  };
}
