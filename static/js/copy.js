// [data-copy="text"] or [data-copy-from="#id"] puts words on the clipboard and says so.
import { say, word } from "./words.js";

async function put(text) {
  if (navigator.clipboard && window.isSecureContext) {
    return navigator.clipboard.writeText(text);
  }
  // A clinic's plain-http network has no clipboard API.
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "sr-only";
  (document.querySelector("dialog[open]") ?? document.body).append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  if (!done) {
    throw new Error("copy refused");
  }
}

function confirmOn(button) {
  const label = button.querySelector(".btn-label");
  const words = button.dataset.copied || word("copied");
  say(words);
  if (label && !button.dataset.was) {
    button.dataset.was = label.textContent;
    label.textContent = words;
    setTimeout(() => {
      label.textContent = button.dataset.was;
      delete button.dataset.was;
    }, 1600);
  }
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy], [data-copy-from]");
  if (!button) {
    return;
  }
  const from = button.dataset.copyFrom && document.querySelector(button.dataset.copyFrom);
  await put(from ? (from.value ?? from.textContent.trim()) : button.dataset.copy);
  confirmOn(button);
});
