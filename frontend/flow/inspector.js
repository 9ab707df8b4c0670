// The form of a step, made of its JSON Schema: a control for every setting, whatever its kind.
import { titleOf } from "./model.js";

const LONG = 200;
const LABELS = {
  say: "Says",
  when: "When (in words that the model judges)",
  condition: "If (an expression)",
  to: "Goes to",
  next: "Then",
  failed: "When it was asked too often",
  failure: "When it fails",
  success: "When it worked",
  otherwise: "Otherwise",
  nothing_found: "When nothing was found",
  too_long: "When it takes too long",
  max_turns: "At most so many turns",
  tools: "Tools that it may use here",
  slots: "Fields",
  assign: "Variables from the result",
  ask_again: "Ask again for what is known",
  connection: "Sent by",
  sender: "From (a number of that account, or a pool of numbers)",
  wait: "Wait for the answer",
  recipient: "To (a number, or a {{variable}} that holds one)",
  confirm: "Read back and have it confirmed",
};
let counter = 0;

function make(tag, className, ...children) {
  const made = document.createElement(tag);
  made.className = className;
  made.append(...children);
  return made;
}

export const words = (name) => LABELS[name] ?? name.charAt(0).toUpperCase() + name.slice(1).replaceAll("_", " ");

export class Inspector {
  /**
   * @param schema the JSON Schema of the agent
   * @param names the names of what can be referred to, by kind and id
   * @param changed called with a path in the step and the value there
   */
  constructor({ schema, names, changed }) {
    this.schema = schema;
    this.names = names;
    this.changed = changed;
    this.stepPattern = schema.$defs.Flow.properties.start.pattern;
  }

  /** The controls of a step. @param steps all steps, for the ways out; `transfers` the names of who can take over */
  form(step, { steps, transfers }) {
    this.steps = steps;
    this.transfers = transfers;
    const schema = this.#of(step.kind);
    // What it is called comes first, and what nobody needs to read last.
    const [id, ...settings] = this.#settings(schema, step, [], ["kind", "position"]);
    return [...settings, id];
  }

  /** The controls of the ways that can be taken from everywhere. */
  everywhere(flow) {
    this.steps = flow.steps;
    const { start, routes } = this.schema.$defs.Flow.properties;
    return [this.#field("start", start, flow.start ?? "", ["flow", "start"], "Begins with"), this.#field("routes", routes, flow.routes ?? [], ["flow", "routes"], "From everywhere")];
  }

  #of(kind) {
    return Object.values(this.schema.$defs).find(({ properties }) => properties?.kind?.const === kind);
  }

  *#settings(schema, value, path, without = []) {
    for (const [name, part] of Object.entries(schema.properties)) {
      if (!without.includes(name)) yield this.#field(name, part, value?.[name], [...path, name]);
    }
  }

  /** The schema behind references and alternatives; `empty` says that it may be null. */
  #plain(part) {
    if (part.$ref) return this.#plain({ ...this.schema.$defs[part.$ref.split("/").at(-1)], ...part, $ref: undefined });
    if (!part.anyOf) return part;
    const kinds = part.anyOf.filter(({ type }) => type !== "null");
    return { ...this.#plain(kinds[0]), default: part.default, empty: kinds.length < part.anyOf.length };
  }

  #field(name, raw, given, path, label = words(name)) {
    const part = this.#plain(raw);
    const value = given === undefined ? (raw.default ?? part.default) : given;
    if (part.type === "array") return this.#list(name, part, value ?? [], path, label);
    if (part.type === "object" && part.additionalProperties) return this.#pairs(part, value ?? {}, path, label);
    const control = this.#control(name, part, value, path);
    control.id = `flow-field-${(counter += 1)}`;
    control.dataset.path = path.join(".");
    const title = make("label", "field-label", label);
    title.htmlFor = control.id;
    const field = make("div", "field");
    if (part.type === "boolean") {
      title.className = "flex items-center gap-2";
      title.prepend(control);
      field.append(title);
    } else {
      field.append(title, control);
    }
    return field;
  }

  #control(name, part, value, path) {
    const tell = (wanted) => this.changed(path, wanted);
    if (part.type === "boolean") {
      const box = make("input", "checkbox checkbox-sm");
      box.type = "checkbox";
      box.checked = Boolean(value);
      box.addEventListener("change", () => tell(box.checked));
      return box;
    }
    const offered = this.#offered(name, part, value);
    if (offered) {
      const select = make("select", "select");
      select.append(...offered.map(([key, text]) => new Option(text, key, false, key === String(value ?? ""))));
      select.addEventListener("change", () => tell(select.value === "" && part.empty ? null : select.value));
      return select;
    }
    const long = part.type === "string" && (part.maxLength ?? 0) > LONG && name !== "condition" && name !== "url";
    const input = make(long ? "textarea" : "input", long ? "textarea" : "input");
    if (long) input.rows = 3;
    if (part.maxLength) input.maxLength = part.maxLength;
    const isNumber = ["number", "integer"].includes(part.type);
    if (isNumber) {
      input.type = "number";
      input.step = part.type === "integer" ? "1" : "any";
      input.min = part.minimum ?? "";
      input.max = part.maximum ?? "";
    }
    input.value = value ?? "";
    // An id is what other steps lead to: it changes when it is written, not letter by letter.
    input.addEventListener(name === "id" ? "change" : "input", () => tell(isNumber ? (input.value === "" ? null : Number(input.value)) : input.value));
    return input;
  }

  /** What a setting can be chosen from, as [value, words]. */
  #offered(name, part, value) {
    const withValue = (known) => (value && !known.some(([key]) => key === value) ? [...known, [value, `${value} (not there)`]] : known);
    if (part.pattern && part.pattern === this.stepPattern) return withValue([["", "ends the call"], ...this.steps.map((step) => [step.id, titleOf(step)])]);
    if (part["x-refers-to"]) return withValue([["", "none"], ...Object.entries(this.names[part["x-refers-to"]] ?? {})]);
    if (name === "target" && this.transfers) return withValue([["", "nobody yet"], ...this.transfers.map((one) => [one, one])]);
    if (part.enum) return part.enum.map((word) => [word, words(String(word))]);
    return null;
  }

  #list(name, part, value, path, label) {
    const item = this.#plain(part.items);
    if (item["x-refers-to"]) return this.#ticks(this.names[item["x-refers-to"]] ?? {}, part, value, path, label);
    if (item.type === "object") return this.#rows(item, value, path, label);
    const field = this.#field(name, { type: "string", maxLength: LONG + 1 }, value.join("\n"), path, `${label} (one a line)`);
    const area = field.querySelector("textarea");
    area.replaceWith(area.cloneNode()); // without the listener for a single text
    const lines = field.querySelector("textarea");
    lines.value = value.join("\n");
    lines.addEventListener("input", () => this.changed(path, lines.value.split("\n").map((each) => each.trim()).filter(Boolean)));
    return field;
  }

  #ticks(known, part, value, path, label) {
    const boxes = Object.entries(known).map(([key, title]) => {
      const box = make("input", "checkbox checkbox-sm");
      box.type = "checkbox";
      box.value = key;
      box.checked = value.includes(key);
      return make("label", "flex items-center gap-2", box, title);
    });
    const set = make("fieldset", "field", make("legend", "field-label", label), ...boxes);
    if (!boxes.length) set.append(make("p", "field-help", "There are none in this workspace."));
    set.addEventListener("change", () => {
      const ticked = [...set.querySelectorAll(":checked")].map((box) => box.value);
      this.changed(path, ticked.length || !part.empty ? ticked : null);
    });
    return set;
  }

  #rows(item, value, path, label) {
    const rows = value.map((row, place) => {
      const remove = make("button", "btn btn-xs btn-quiet", "Remove");
      remove.type = "button";
      remove.setAttribute("aria-label", `Remove ${label.toLowerCase()} ${place + 1}`);
      remove.addEventListener("click", () => this.changed(path, value.toSpliced(place, 1), { redraw: true }));
      return make("fieldset", "flow-row", make("legend", "sr-only", `${label} ${place + 1}`), ...this.#settings(item, row, [...path, place]), remove);
    });
    const add = make("button", "btn btn-sm btn-quiet self-start", "Add");
    add.type = "button";
    add.setAttribute("aria-label", `Add to ${label.toLowerCase()}`);
    add.addEventListener("click", () => this.changed(path, [...value, blank(item)], { redraw: true }));
    return make("fieldset", "field", make("legend", "field-label", label), ...rows, add);
  }

  /** A mapping: `name: value` lines. */
  #pairs(part, value, path, label) {
    const field = this.#field("", { type: "string", maxLength: LONG + 1 }, "", path, `${label} (name: value, one a line)`);
    const old = field.querySelector("textarea");
    old.replaceWith(old.cloneNode());
    const area = field.querySelector("textarea");
    area.value = Object.entries(value).map(([key, text]) => `${key}: ${text}`).join("\n");
    area.addEventListener("input", () => {
      const pairs = area.value.split("\n").map((text) => text.match(/^\s*([^:]+?)\s*:\s*(.*)$/)).filter(Boolean);
      this.changed(path, Object.fromEntries(pairs.map(([, key, text]) => [key, text])));
    });
    return field;
  }
}

/** The least that a row needs: something in what is required. */
function blank(item) {
  const needed = (item.required ?? []).map((name) => [name, STARTS[name] ?? ""]);
  return Object.fromEntries(needed);
}

const STARTS = { condition: "true", value: "true", key: "1", name: "name" };
