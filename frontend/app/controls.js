// Small controls that only need an attribute:
//   data-copy="text", data-copy-from="#id"  copies, and says so on the button
//   data-open="#dialog"                     opens a <dialog>; data-close closes the one around it
//   data-most-bytes="n"                     on a file input: refuses files of more bytes together, before they are sent
//   data-back                               the browser's "back"
//   <details class="dropdown-menu">         closes on Escape, on a click elsewhere, and when the focus leaves it
async function copy(button) {
  const source = button.dataset.copyFrom && document.querySelector(button.dataset.copyFrom);
  const text = source ? (source.value ?? source.textContent) : button.dataset.copy;
  const said = document.createElement("span");
  said.className = "sr-only";
  said.setAttribute("role", "status");
  button.append(said);
  try {
    await navigator.clipboard.writeText(text);
    said.textContent = "Copied";
  } catch {
    // No clipboard without HTTPS, but on localhost: then the person copies what is selected for them.
    if (source) getSelection().selectAllChildren(source);
    said.textContent = "Press Ctrl-C to copy";
  }
  said.classList.remove("sr-only");
  setTimeout(() => said.remove(), 1600);
}

function openDialog(dialog) {
  document.getElementById("sidebar")?.hidePopover();
  dialog.showModal();
}

function closeMenus(except) {
  for (const menu of document.querySelectorAll("details.dropdown-menu[open]")) if (menu !== except) menu.open = false;
}

document.addEventListener("click", (event) => {
  const { target } = event;
  closeMenus(target.closest("details.dropdown-menu"));
  const copier = target.closest("[data-copy], [data-copy-from]");
  if (copier) copy(copier);
  const opener = target.closest("[data-open]");
  if (opener) openDialog(document.querySelector(opener.dataset.open));
  if (target.closest("[data-close]")) target.closest("dialog").close();
  if (target.closest("[data-back]")) history.back();
  // A click on the backdrop reaches the dialog itself, outside of its box.
  if (target instanceof HTMLDialogElement && target.open) {
    const box = target.getBoundingClientRect();
    const inside = event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
    if (!inside && event.detail) target.close();
  }
});

document.addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" && event.target.closest?.("details.dropdown-menu[open]");
  if (!menu) return;
  event.preventDefault(); // or Escape would close the sidebar around it, too
  menu.open = false;
  menu.querySelector("summary").focus();
});

document.addEventListener("focusin", (event) => closeMenus(event.target.closest("details.dropdown-menu")));

document.addEventListener("change", ({ target }) => {
  if (!target.dataset.mostBytes) return;
  const bytes = [...target.files].reduce((sum, { size }) => sum + size, 0);
  const most = Number(target.dataset.mostBytes);
  target.setCustomValidity(bytes > most ? `That is ${Math.ceil(bytes / 1e6)} MB; ${most / 1e6} MB fit at a time.` : "");
  target.reportValidity();
});
