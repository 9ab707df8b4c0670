// What two people changed alike, and whose of it is to be: templates/builder/_agent_notices.html.

/** Asks about each of `conflicts`. Gives "mine" or "theirs" by their places; null when it is put off. */
export function choose(conflicts) {
  const dialog = document.querySelector("[data-conflict]");
  const list = dialog.querySelector("[data-conflict-list]");
  list.replaceChildren(...conflicts.map(item));
  dialog.returnValue = "";
  if (!dialog.open) dialog.showModal();
  return new Promise((resolve) => {
    const closed = () => resolve(dialog.returnValue === "save" ? chosen(list) : null);
    dialog.addEventListener("close", closed, { once: true });
  });
}

function item({ place, label, mine, theirs }) {
  const field = document.querySelector("[data-conflict-item]").content.firstElementChild.cloneNode(true);
  field.querySelector("legend").textContent = label;
  field.querySelector("[data-mine]").textContent = mine || "empty";
  field.querySelector("[data-theirs]").textContent = theirs || "empty";
  for (const radio of field.querySelectorAll("input")) radio.name = place;
  return field;
}

function chosen(list) {
  return Object.fromEntries([...list.querySelectorAll("input:checked")].map(({ name, value }) => [name, value]));
}
