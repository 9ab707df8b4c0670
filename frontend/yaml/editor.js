// CodeMirror for YAML, set up for our pages. It lives in a shadow root: there it brings its styles as constructed sheets, which the
// Content-Security-Policy lets it.
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import { bracketMatching, foldGutter, foldKeymap, HighlightStyle, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { lintGutter, lintKeymap } from "@codemirror/lint";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { Annotation, ChangeSet, EditorState } from "@codemirror/state";
import { drawSelection, EditorView, highlightActiveLine, highlightActiveLineGutter, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { completions } from "./completion.js";

const fromServer = Annotation.define();

const colours = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: "var(--caller)" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--color-base-content)" },
  { tag: [tags.number, tags.bool, tags.null, tags.keyword], color: "var(--agent)" },
  { tag: tags.comment, color: "var(--muted)", fontStyle: "italic" },
  { tag: [tags.punctuation, tags.separator, tags.bracket], color: "var(--muted)" },
]);

const theme = EditorView.theme({
  "&": { color: "var(--color-base-content)", backgroundColor: "var(--color-base-100)", fontSize: "0.8125rem", borderRadius: "var(--radius-field)" },
  "&.cm-focused": { outline: "2px solid var(--color-accent)", outlineOffset: "1px" },
  ".cm-scroller": { fontFamily: "var(--font-mono)", fontVariantLigatures: "none", lineHeight: "1.6", minHeight: "24rem", maxHeight: "75vh" },
  ".cm-content": { caretColor: "var(--color-base-content)", padding: "0.5rem 0" },
  ".cm-cursor": { borderLeftColor: "var(--color-base-content)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "color-mix(in oklab, var(--color-accent) 24%, transparent)" },
  ".cm-gutters": { backgroundColor: "var(--color-base-200)", color: "var(--muted)", border: "none" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "color-mix(in oklab, var(--color-base-content) 5%, transparent)" },
  ".cm-tooltip": { backgroundColor: "var(--color-base-100)", color: "var(--color-base-content)", border: "1px solid var(--line)", borderRadius: "var(--radius-field)", maxWidth: "min(28rem, 90vw)" },
  ".cm-tooltip-autocomplete > ul > li[aria-selected]": { backgroundColor: "var(--color-primary)", color: "var(--color-primary-content)" },
  ".cm-completionInfo": { padding: "0.5rem 0.75rem", maxWidth: "20rem" },
  ".cm-panels": { backgroundColor: "var(--color-base-200)", color: "var(--color-base-content)" },
  ".cm-diagnostic-error": { borderLeftColor: "var(--color-error)" },
  ".cm-diagnostic-warning": { borderLeftColor: "var(--color-warning)" },
});

/** @param {{text: string, schema: object, longest: number, changed: () => void}} options */
export function editor(place, { text, schema, longest, changed }) {
  const root = place.attachShadow({ mode: "open" });
  const state = EditorState.create({
    doc: text,
    extensions: [
      lineNumbers(),
      foldGutter(),
      lintGutter(),
      history(),
      drawSelection(),
      indentOnInput(),
      indentUnit.of("  "),
      bracketMatching(),
      closeBrackets(),
      highlightActiveLine(),
      highlightActiveLineGutter(),
      highlightSelectionMatches(),
      autocompletion({ override: [completions(schema)] }),
      yaml(),
      syntaxHighlighting(colours),
      theme,
      EditorView.lineWrapping,
      EditorView.contentAttributes.of({ "aria-label": "The agent as YAML", spellcheck: "false" }),
      EditorState.changeFilter.of((change) => change.newDoc.length <= longest),
      EditorView.updateListener.of((update) => {
        if (update.docChanged && !update.transactions.some((each) => each.annotation(fromServer))) changed();
      }),
      keymap.of([...closeBracketsKeymap, ...completionKeymap, ...lintKeymap, ...searchKeymap, ...historyKeymap, ...foldKeymap, ...defaultKeymap, indentWithTab]),
    ],
  });
  return new EditorView({ state, parent: root, root });
}

/** The change that makes one text of another: one stretch, between what they have alike at both ends. */
function difference(before, after) {
  let from = 0;
  const most = Math.min(before.length, after.length);
  while (from < most && before[from] === after[from]) from += 1;
  let end = 0;
  while (end < most - from && before.at(-1 - end) === after.at(-1 - end)) end += 1;
  return ChangeSet.of({ from, to: before.length - end, insert: after.slice(from, after.length - end) }, before.length);
}

/** Shows `now` in place of `sent`, with what was written since then on top. Gives whether there was anything. */
export function replaceAll(view, sent, now) {
  const here = view.state.doc.toString();
  const theirs = difference(sent, now);
  const mine = difference(sent, here);
  view.dispatch({ changes: theirs.map(mine), annotations: fromServer.of(true) });
  return here !== sent;
}
