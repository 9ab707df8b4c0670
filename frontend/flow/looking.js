// What the flow's pages for writing and for reading have in common: the list of steps, and the keys that only look.
import * as model from "./model.js";

const ARROWS = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };

export const read = (id) => JSON.parse(document.getElementById(id).textContent);

/** The icon of each kind of step, of a template that holds them. */
export const iconsIn = (template) => Object.fromEntries([...template.content.children].map((holder) => [holder.dataset.icon, holder.firstElementChild]));

/** A step in the list: what it is, and where it leads. */
export function listItem(one, { steps, selected, running = "" }) {
  const item = document.createElement("li");
  const button = document.createElement("button");
  button.type = "button";
  button.className = "flow-item";
  button.setAttribute("aria-pressed", String(one.id === selected));
  button.dataset.pick = one.id;
  const title = document.createElement("b");
  title.textContent = model.titleOf(one);
  const kind = document.createElement("span");
  kind.className = "text-muted";
  kind.textContent = [model.KINDS[one.kind].title, one.id === running && "running now"].filter(Boolean).join(", ");
  button.append(title, kind);
  for (const { label, to } of model.exits(one).filter((exit) => exit.to)) {
    const way = document.createElement("span");
    way.className = "flow-way";
    const target = steps.find(({ id }) => id === to);
    way.textContent = `${label ? `${label} ` : ""}→ ${target ? model.titleOf(target) : to}`;
    button.append(way);
  }
  item.append(button);
  return item;
}

/** Goes to another step, closer or farther by a key pressed at the step `here`; says whether it did. */
export function look(canvas, key, here) {
  if (ARROWS[key] && here) {
    const next = canvas.neighbour(here, ...ARROWS[key]);
    if (next) canvas.focusStep(next);
    return true;
  }
  const does = { "+": () => canvas.zoom(1.2), "-": () => canvas.zoom(1 / 1.2), 0: () => canvas.fit() }[key];
  does?.();
  return Boolean(does);
}
