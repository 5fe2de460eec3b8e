// Keys: "/" searches, "?" lists the keys, [data-key] presses its button, j and k move in a list, u takes back.
import { isTyping } from "./words.js";

function scope() {
  return [...document.querySelectorAll("dialog[open]")].pop() ?? document;
}

function isVisible(element) {
  return element.getClientRects().length > 0;
}

function press(key) {
  const target = [...scope().querySelectorAll(`[data-key="${CSS.escape(key)}"]`)].find(isVisible);
  target?.click();
  return Boolean(target);
}

function moveRow(step) {
  const list = [...scope().querySelectorAll("[data-row-nav]")].find(isVisible);
  const rows = list ? [...list.querySelectorAll(".row-link, td .who[href], [data-row]")].filter(isVisible) : [];
  const at = rows.indexOf(document.activeElement);
  rows[at < 0 ? (step > 0 ? 0 : rows.length - 1) : Math.max(0, Math.min(rows.length - 1, at + step))]?.focus();
  return rows.length > 0;
}

function listKeys() {
  const list = document.querySelector("[data-keys-list]");
  list?.querySelectorAll("[data-from-page]").forEach((old) => old.remove());
  for (const element of document.querySelectorAll("[data-key]")) {
    const label = element.dataset.keyLabel || element.textContent.trim();
    if (!list || !isVisible(element) || !label) {
      continue;
    }
    const term = document.createElement("dt");
    const key = document.createElement("kbd");
    key.className = "kbd";
    key.textContent = element.dataset.key;
    term.append(key);
    const meaning = document.createElement("dd");
    meaning.textContent = label;
    for (const part of [term, meaning]) {
      part.dataset.fromPage = "";
      list.append(part);
    }
  }
}

// What the newest notice offers to undo.
function takeBack() {
  const button = [...document.querySelectorAll("#toasts form button")].pop();
  button?.click();
  return Boolean(button);
}

function act(key) {
  if (key === "/") {
    const search = document.getElementById("search");
    search?.focus();
    search?.select();
    return Boolean(search);
  }
  if (key === "?") {
    listKeys();
    document.getElementById("keys")?.showModal();
    return true;
  }
  if (key === "u") {
    return press(key) || takeBack();
  }
  if (key === "j" || key === "k") {
    return press(key) || moveRow(key === "j" ? 1 : -1);
  }
  return key.length === 1 && press(key);
}

document.addEventListener("keydown", (event) => {
  const held = event.ctrlKey || event.metaKey || event.altKey;
  if (event.defaultPrevented || event.isComposing || held || isTyping(event.target)) {
    return;
  }
  if (scope() !== document && (event.key === "/" || event.key === "?")) {
    return;
  }
  if (act(event.key)) {
    event.preventDefault();
  }
});

document.addEventListener("click", (event) => {
  if (event.target.closest('[data-dialog-open="#keys"]')) {
    listKeys();
  }
});
