// The YAML view: the draft's text in an editor, its mistakes and its problems at their lines.
import { ensureSyntaxTree } from "@codemirror/language";
import { setDiagnostics } from "@codemirror/lint";
import { EditorView } from "@codemirror/view";
import { editor, replaceAll } from "./editor.js";
import { find } from "./places.js";

const PARSE_MS = 500;

export function yamlView() {
  // Outside of what Alpine watches: it would wrap the editor's own objects.
  let view = null;
  let mistakes = []; // for which the text could not be saved
  return {
    init() {
      const { editor: place, source } = this.$refs;
      const schema = JSON.parse(document.getElementById("agent-schema").textContent);
      const changed = () => this.$store.draft.changed();
      view = editor(place, { text: source.value, schema, longest: Number(this.$root.dataset.longest), changed });
      view.contentDOM.addEventListener("blur", () => this.$store.draft.dirty && !this.$store.draft.failed && this.$store.draft.save());
      view.contentDOM.addEventListener("keyup", () => this.at());
      this.$store.draft.attach(this);
      document.addEventListener("callwright:problem", (event) => this.lead(event));
      document.addEventListener("htmx:after:swap", () => this.mark());
      this.mark();
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
      mistakes = problems;
      this.mark();
      this.$refs.problems.replaceChildren(...problems.map((problem) => this.item(problem)));
      this.$refs.problems.hidden = !problems.length;
    },

    /** Marks what is wrong at its line. The problems of the draft come after the mistakes: they are about what was saved last. */
    mark() {
      const marks = mistakes.length ? mistakes.map((each) => this.mistake(each)) : listed().map((each) => this.problem(each));
      view.dispatch(setDiagnostics(view.state, marks));
    },

    mistake({ line, column, message }) {
      const row = view.state.doc.line(Math.min(Math.max(line, 1), view.state.doc.lines));
      return { from: Math.min(row.from + column - 1, row.to), to: row.to, severity: "error", message };
    },

    /** One about a setting that is left out stands in the first line, and names it. */
    problem({ path, severity, message }) {
      const from = this.place(path);
      if (from === null) return { from: 0, to: view.state.doc.line(1).to, severity, message: `${path}, left out here: ${message}` };
      return { from, to: view.state.doc.lineAt(from).to, severity, message };
    },

    /** Where in the text a path leads to, or null. */
    place(path) {
      const { doc } = view.state;
      const tree = ensureSyntaxTree(view.state, doc.length, PARSE_MS);
      return (tree && find(tree, path, (from, to) => doc.sliceString(from, to)))?.from ?? null;
    },

    /** From the list of problems to the line of one. */
    lead(event) {
      event.preventDefault();
      this.goTo(this.place(event.detail.path) ?? 0);
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
      this.goTo(view.state.doc.line(Math.min(line, view.state.doc.lines)).from);
    },

    goTo(anchor) {
      view.dispatch({ selection: { anchor }, effects: EditorView.scrollIntoView(anchor, { y: "center" }) });
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

/** The list of problems that the page shows (templates/builder/_problem_list.html). */
function listed() {
  return [...document.querySelectorAll("[data-problem-path]")].map(({ dataset, textContent, nextElementSibling }) => ({
    path: dataset.problemPath,
    severity: dataset.problemSeverity,
    message: `${textContent.trim()} ${nextElementSibling.textContent.trim()}`,
  }));
}
