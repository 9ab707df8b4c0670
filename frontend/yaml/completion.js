// What can stand at a place of an agent's text, by its JSON Schema: settings that are not there yet, and their values.

/** A completion source of CodeMirror. */
export function completions(schema) {
  return ({ state, pos, explicit }) => {
    const line = state.doc.lineAt(pos);
    const lines = state.doc.sliceString(0, pos).split("\n");
    const found = offered(schema, lines);
    const typed = line.text.slice(0, pos - line.from).match(/\S*$/)[0];
    if (!found || (!typed && !explicit && !found.value)) return null;
    return { from: pos - typed.length, options: found.options, validFor: /^\S*$/ };
  };
}

/** What can stand at the end of these lines. */
export function offered(schema, lines) {
  const last = lines.at(-1);
  const value = last.match(/^([\s-]*)(\w+):\s+\S*$/);
  if (value) return { value: true, options: values(at(schema, [...pathTo(lines, value[1].length), value[2]])) };
  const start = last.match(/^(\s*(?:- )*)\w*$/);
  if (!start) return null;
  const around = at(schema, pathTo(lines, start[1].length));
  return { value: false, options: [...values(around), ...keys(around)] };
}

/** The settings that enclose what begins at `column` of the last line, outermost first; "*" stands for each list. */
export function pathTo(lines, column) {
  const path = [];
  let limit = column;
  let asDeep = false; // a list may begin as deep as the setting that it is of
  const leaveItems = (text) => {
    for (const dash of [...text.slice(0, limit).matchAll(/-(?= )/g)].reverse()) {
      path.unshift("*");
      limit = dash.index;
      asDeep = true;
    }
  };
  leaveItems(lines.at(-1).match(/^[\s-]*/)[0]);
  for (const text of lines.slice(0, -1).reverse()) {
    const row = text.match(/^(\s*(?:- )*)(\w+):(.*)$/);
    if (!row) continue;
    const depth = row[1].length;
    if (!row[3].trim() && (depth < limit || (asDeep && depth === limit))) {
      path.unshift(row[2]);
      [limit, asDeep] = [depth, false];
      leaveItems(row[1]);
    } else if (depth === limit && !asDeep && row[1].includes("-")) {
      leaveItems(row[1]);
    }
  }
  return path;
}

/** The schemas at a path, in each of the kinds that may stand there. */
function at(root, path) {
  let parts = resolve(root, root);
  for (const step of path) {
    parts = parts.flatMap((part) => {
      const inner = step === "*" ? part.items : part.properties?.[step];
      return inner ? resolve(root, inner) : [];
    });
  }
  return parts;
}

function resolve(root, part) {
  const full = part.$ref ? { ...root.$defs[part.$ref.split("/").at(-1)], ...part, $ref: undefined } : part;
  const choices = full.anyOf ?? full.oneOf;
  return choices ? choices.flatMap((choice) => resolve(root, choice)) : [full];
}

function keys(parts) {
  const known = new Map();
  for (const part of parts) for (const [name, inner] of Object.entries(part.properties ?? {})) known.set(name, inner);
  return [...known].map(([name, { title, description }]) => ({
    label: name,
    apply: `${name}: `,
    type: "property",
    detail: title && title.toLowerCase() !== name ? title : undefined,
    info: description || undefined,
  }));
}

function values(parts) {
  const words = parts.flatMap((part) => part.examples ?? part.enum ?? (part.const === undefined ? [] : [part.const]));
  if (parts.some(({ type }) => type === "boolean")) words.push(true, false);
  return [...new Set(words)].map((word) => ({ label: String(word), type: "enum" }));
}
