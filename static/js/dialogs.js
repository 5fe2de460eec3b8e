// Dialogs and drawers: opened by data-dialog-open="#id", closed by data-dialog-close, Esc or a click beside them.
import { homeToasts } from "./toasts.js";

const host = () => document.getElementById("dialog-host");

function open(dialog) {
  if (dialog instanceof HTMLDialogElement && !dialog.open) {
    dialog.showModal();
    const field = ":is(input:not([type=hidden]), select, textarea)";
    const first = ["[autofocus]", `.is-invalid ${field}`, `.dialog-body ${field}`];
    first.map((choice) => dialog.querySelector(choice)).find(Boolean)?.focus();
  }
}

function showNew(root) {
  for (const dialog of root.querySelectorAll("dialog[data-show]")) {
    dialog.removeAttribute("data-show");
    open(dialog);
  }
}

function hasTyped(dialog) {
  const fields = dialog.querySelectorAll("input:not([type=hidden], [type=checkbox], [type=radio]), textarea");
  return [...fields].some((field) => field.value !== field.defaultValue);
}

function isBeside(dialog, event) {
  const box = dialog.getBoundingClientRect();
  const inside =
    event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
  return event.target === dialog && !inside;
}

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-dialog-open]");
  if (opener) {
    const dialog = document.querySelector(opener.dataset.dialogOpen);
    if (dialog) {
      event.preventDefault();
      open(dialog);
    }
    return;
  }
  if (event.target.closest("[data-dialog-close]")) {
    event.preventDefault();
    event.target.closest("dialog")?.close();
    return;
  }
  if (event.target instanceof HTMLDialogElement && isBeside(event.target, event) && !hasTyped(event.target)) {
    event.target.close();
  }
});

document.addEventListener(
  "close",
  (event) => {
    homeToasts();
    // What htmx brought is thrown away, so that the next one starts fresh.
    if (host()?.contains(event.target) && !host().querySelector("dialog[open]")) {
      host().replaceChildren();
    }
  },
  true,
);

document.addEventListener("dialog:close", () => {
  for (const dialog of document.querySelectorAll("dialog[open]")) {
    dialog.close();
  }
});

document.addEventListener("htmx:afterSettle", () => showNew(document));
showNew(document);
