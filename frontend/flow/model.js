// A flow as data: its steps, the ways between them, and what can be done to it. Knows nothing of the page. Flows are never changed
// in place: each function gives another one. The ways out of each kind are those of voice/flow/spec.py.

export const KINDS = {
  conversation: { title: "Conversation", tone: "agent", hint: "The model talks, until a route is taken.", blank: {} },
  say: { title: "Say", tone: "agent", hint: "Words, exactly so.", blank: { say: "" } },
  collect: { title: "Collect fields", tone: "caller", hint: "Asks for names, dates, numbers…", blank: { slots: [{ name: "name", type: "name" }] } },
  menu: { title: "Keypad menu", tone: "caller", hint: "Press 1 for…", blank: { keys: [{ key: "1" }] } },
  branch: { title: "Branch", tone: "muted", hint: "By what is known.", blank: { cases: [] } },
  set: { title: "Set variables", tone: "muted", hint: "Keeps something for later.", blank: { values: [] } },
  knowledge: { title: "Knowledge answer", tone: "knowledge", hint: "Answers from documents only.", blank: {} },
  tool: { title: "Tool", tone: "tool", hint: "Runs a tool, without the model.", blank: {} },
  post: { title: "Send to an address", tone: "tool", hint: "Posts what is known.", blank: {} },
  sms: { title: "Text message", tone: "tool", hint: "Writes to the caller's phone.", blank: {} },
  transfer: { title: "Transfer", tone: "caller", hint: "Gives the caller to a person.", blank: {} },
  handoff: { title: "Hand-off", tone: "agent", hint: "Another agent goes on.", blank: {} },
  end: { title: "End", tone: "bad", hint: "Says goodbye and hangs up.", blank: {} },
};

const NEXT = {
  collect: [["next", "all known"], ["failed", "asked too often"]],
  tool: [["success", "success"], ["failure", "failure"]],
  knowledge: [["next", "answered"], ["nothing_found", "nothing found"]],
  transfer: [["failure", "failure"]],
  handoff: [["next", "goes on"]],
  set: [["next", ""]],
  say: [["next", ""]],
  end: [],
};

/** A plain agent is one conversation. */
export const plain = () => ({ start: "conversation", steps: [{ id: "conversation", kind: "conversation", name: "Conversation" }], routes: [] });

export const titleOf = (step) => step.name || capital(step.id.replaceAll("_", " "));

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** The ways out of a step: {path, label, to}, `to` is "" where one leads nowhere. */
export function exits(step) {
  const exit = (path, label) => ({ path, label, to: valueAt(step, path) ?? "" });
  switch (step.kind) {
    case "conversation": {
      const routes = (step.routes ?? []).map((route, place) => exit(["routes", place, "to"], route.when || route.condition || "…"));
      return step.max_turns ? [...routes, exit(["too_long"], `after ${step.max_turns} turns`)] : routes;
    }
    case "branch":
      return [...(step.cases ?? []).map((one, place) => exit(["cases", place, "to"], one.condition)), exit(["otherwise"], "otherwise")];
    case "menu":
      return [...(step.keys ?? []).map((key, place) => exit(["keys", place, "to"], [key.key, ...(key.words ?? []).slice(0, 1)].join(" · "))), exit(["failed"], "no choice")];
    case "post":
    case "sms":
      return [exit(["next"], ""), ...(step.wait ? [exit(["failure"], "failure")] : [])];
    default:
      return NEXT[step.kind].map(([name, label]) => exit([name], label));
  }
}

/** One line of what a step does. */
export function preview(step) {
  const fields = (step.slots ?? []).map(({ name }) => name).join(", ");
  const sets = (step.values ?? []).map(({ name }) => name).join(", ");
  const keys = (step.keys ?? []).map(({ key }) => key).join(" ");
  const text = step.say || step.prompt || step.question || fields || sets || step.target || step.url || step.text || (keys && `Keys ${keys}`) || "";
  return text.split("\n")[0] || KINDS[step.kind].hint;
}

export const firstOf = (flow) => flow.steps.find(({ id }) => id === flow.start) ?? flow.steps[0];

export function valueAt(value, path) {
  return path.reduce((part, key) => part?.[key], value);
}

/** The same with another value at a path; undefined takes it out. */
export function withValue(value, [key, ...rest], wanted) {
  const copy = Array.isArray(value) ? [...value] : { ...value };
  if (rest.length) copy[key] = withValue(copy[key] ?? (typeof rest[0] === "number" ? [] : {}), rest, wanted);
  else if (wanted !== undefined) copy[key] = wanted;
  else if (Array.isArray(copy)) copy.splice(key, 1);
  else delete copy[key];
  return copy;
}

export const withStep = (flow, id, step) => ({ ...flow, steps: flow.steps.map((one) => (one.id === id ? step : one)) });

function freeId(flow, wanted) {
  const taken = new Set(flow.steps.map(({ id }) => id));
  let id = wanted;
  for (let number = 2; taken.has(id); number += 1) id = `${wanted}_${number}`;
  return id;
}

/** Adds a step of a kind, led to from the step `after` if that has a way free. Gives [flow, id]. */
export function add(flow, kind, after = "") {
  const id = freeId(flow, kind);
  const added = { ...flow, steps: [...flow.steps, { id, kind, ...structuredClone(KINDS[kind].blank) }] };
  return [after ? connect(added, after, id)[0] : added, id];
}

export function duplicate(flow, id) {
  const step = structuredClone(flow.steps.find((one) => one.id === id));
  const copy = { ...step, id: freeId(flow, id), name: step.name ? `${step.name} (copy)` : "" };
  delete copy.position;
  return [{ ...flow, steps: [...flow.steps, copy] }, copy.id];
}

/** Takes steps away; the ways to them lead nowhere then. */
export function remove(flow, id) {
  const left = { ...flow, steps: flow.steps.filter((step) => step.id !== id) };
  return renamed(left, id, "");
}

/** Gives a step another id, wherever it is named. */
export function rename(flow, id, wanted) {
  const steps = flow.steps.map((step) => (step.id === id ? { ...step, id: wanted } : step));
  return renamed({ ...flow, steps }, id, wanted);
}

function renamed(flow, id, wanted) {
  const steps = flow.steps.map((step) => exits(step).reduce((one, { path, to }) => (to === id ? withValue(one, path, wanted) : one), step));
  const routes = (flow.routes ?? []).map((route) => (route.to === id ? { ...route, to: wanted } : route));
  return { ...flow, steps, routes, start: flow.start === id ? wanted : flow.start };
}

/** Leads from one step to another: by the first way that is free, by a new one, or by the first. Gives [flow, path of the way]. */
export function connect(flow, from, to) {
  const step = flow.steps.find(({ id }) => id === from);
  const path = exits(step).find((exit) => !exit.to)?.path ?? newExit(step) ?? exits(step)[0]?.path;
  if (!path) return [flow, null];
  return [withStep(flow, from, withValue(grown(step, path), path, to)), path];
}

function newExit(step) {
  const lists = { conversation: "routes", branch: "cases", menu: "keys" };
  const list = lists[step.kind];
  return list && [list, (step[list] ?? []).length, "to"];
}

/** The step with room for a new way. */
function grown(step, [list, place]) {
  if (typeof place !== "number" || step[list]?.[place]) return step;
  const used = new Set((step.keys ?? []).map(({ key }) => key));
  const blank = { routes: { when: "" }, cases: { condition: "true" }, keys: { key: [..."1234567890*#"].find((key) => !used.has(key)) ?? "0" } };
  return { ...step, [list]: [...(step[list] ?? []), blank[list]] };
}

/** What `mine` changed since `base`, on top of `now`. Step by step; gives [flow, whether there was anything]. */
export function rebase(base, mine, now) {
  const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
  if (same(base, mine)) return [now, false];
  const was = new Map((base?.steps ?? []).map((step) => [step.id, step]));
  const theirs = new Map((now?.steps ?? []).map((step) => [step.id, step]));
  const changed = (mine.steps ?? []).filter((step) => !same(was.get(step.id), step));
  const gone = [...was.keys()].filter((id) => !mine.steps.some((step) => step.id === id));
  for (const id of gone) theirs.delete(id);
  for (const step of changed) theirs.set(step.id, step);
  const pick = (key) => (same(base?.[key], mine[key]) ? now?.[key] : mine[key]);
  return [{ ...(now ?? mine), start: pick("start"), routes: pick("routes") ?? [], steps: [...theirs.values()] }, true];
}
