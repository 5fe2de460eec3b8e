// Follow-ups: j and k open the next or former task, the words follow the channel.
import { isTyping } from "./words.js";

const panel = () => document.querySelector("[data-task-panel]");

function markChannel(channel) {
  const field = panel()?.querySelector("[data-channel]");
  if (field && channel) {
    field.value = channel;
  }
}

document.addEventListener("click", (event) => {
  const marked = event.target.closest("[data-mark-channel]");
  if (marked) {
    markChannel(marked.dataset.markChannel);
  }
  const outcome = event.target.closest('button[name="outcome"]');
  if (!outcome) {
    return;
  }
  const note = outcome.form?.elements.note;
  if ("needsNote" in outcome.dataset && note && !note.value.trim()) {
    event.preventDefault();
    note.placeholder = outcome.textContent.trim().replace(/\s+/g, " ").replace(/ \d$/, "");
    note.focus();
    return;
  }
  const book = outcome.form?.querySelector("[data-book]");
  if (book) {
    book.value = "books" in outcome.dataset ? "1" : "";
  }
});

document.addEventListener("change", (event) => {
  if (!event.target.matches("[data-words]")) {
    return;
  }
  const chosen = event.target.value;
  for (const words of panel().querySelectorAll("[data-words-of]")) {
    words.hidden = words.dataset.wordsOf !== chosen;
  }
  markChannel(chosen);
});

function open(step) {
  const links = [...document.querySelectorAll("[data-tasks] .row-link")];
  const at = links.findIndex((link) => link.hasAttribute("aria-current"));
  const next = links[at < 0 ? (step > 0 ? 0 : links.length - 1) : at + step];
  next?.click();
  return Boolean(next);
}

const KEYS = { j: () => open(1), k: () => open(-1) };

// Before the frame's own keys, which only move the focus.
document.addEventListener(
  "keydown",
  (event) => {
    const held = event.ctrlKey || event.metaKey || event.altKey || event.isComposing;
    if (held || isTyping(event.target) || document.querySelector("dialog[open]")) {
      return;
    }
    if (document.body.classList.contains("tasks-page") && KEYS[event.key]?.()) {
      event.preventDefault();
      event.stopImmediatePropagation();
    }
  },
  true,
);

document.querySelector("[data-tasks] [data-selected]")?.scrollIntoView({ block: "nearest" });
