// form[data-handoff]: the suggested class and the check of words follow what is typed; what is missing is counted;
// a preview opens in place. Fetches of its own, since htmx would take the form for sent.
import { csrfToken } from "./words.js";

const PAUSE = 400;
const timers = {};

async function ask(form, url, place) {
  const response = await fetch(url, {
    method: "POST",
    body: new FormData(form),
    headers: { "X-CSRFToken": csrfToken(), "X-Part": "1" },
  });
  if (response.ok && place.isConnected) {
    place.innerHTML = await response.text();
  }
}

function soon(key, task) {
  clearTimeout(timers[key]);
  timers[key] = setTimeout(task, PAUSE);
}

function isOpen(form, name) {
  const fields = [...form.querySelectorAll(`[name="${name}"]`)];
  const values = fields.filter((field) => field.type !== "radio" || field.checked).map((field) => field.value.trim());
  return !values.some(Boolean);
}

function count(form) {
  const links = [...form.querySelectorAll("[data-needed-for]")];
  for (const link of links) {
    link.hidden = !isOpen(form, link.dataset.neededFor);
  }
  const missing = links.some((link) => !link.hidden);
  form.querySelector("[data-needed-open]").hidden = !missing;
  form.querySelector("[data-needed-done]").hidden = missing;
}

function follow(event) {
  const form = event.target.closest?.("form[data-handoff]");
  if (!form) {
    return;
  }
  count(form);
  if (event.target.name === "wished_words") {
    soon("words", () => ask(form, `${form.dataset.check}?part=words`, document.getElementById("handoff-words")));
  }
  if (event.type === "change" && ["class_code", "awareness"].includes(event.target.name)) {
    ask(form, form.dataset.check, document.getElementById("handoff-suggestion"));
  }
  if (event.type === "change" && event.target.name === "doctor") {
    const label = event.target.closest("label").textContent.trim();
    const button = form.querySelector("[data-send]");
    if (button) {
      button.querySelector(".btn-label").textContent = button.dataset.send.replace("{doctor}", label);
    }
  }
}

for (const name of ["input", "change"]) {
  document.addEventListener(name, follow);
}

// Words from the scripts go where the cursor stands.
document.addEventListener("click", (event) => {
  const item = event.target.closest("[data-insert]");
  const field = item && document.querySelector(item.dataset.insertInto);
  if (field) {
    field.setRangeText(item.dataset.insert, field.selectionStart, field.selectionEnd, "end");
    field.value = field.value.slice(0, field.maxLength > 0 ? field.maxLength : undefined);
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.focus();
  }
});

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-preview]");
  const form = button?.closest("form[data-handoff]");
  if (form) {
    event.preventDefault();
    const host = document.getElementById("dialog-host");
    await ask(form, form.dataset.preview, host);
    document.dispatchEvent(new CustomEvent("htmx:afterSettle", { detail: { elt: host } }));
  }
});
