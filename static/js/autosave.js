// form[data-autosave="URL"] keeps a draft: posted when typing pauses, with the time of the last save in sight.
// The server answers JSON; `saved_at` ("10:42") is shown, and a `version` goes back into the form.
import { csrfToken, word } from "./words.js";
import { toast } from "./toasts.js";

const PAUSE = 1200;
const RETRY = 5000;
const timers = new WeakMap();
const running = new WeakSet();

function show(form, state, time = "") {
  const place = document.querySelector(`[data-save-state][data-for="${form.id}"]`) ?? form.querySelector("[data-save-state]") ?? document.querySelector("[data-save-state]");
  if (!place) {
    return;
  }
  place.dataset.state = state;
  const words = { saving: place.dataset.saving, failed: place.dataset.failed, saved: place.dataset.saved?.replace("{time}", time) };
  place.querySelector("[data-save-text]").textContent = words[state] ?? "";
}

function draftOf(form) {
  const data = new FormData(form);
  for (const [name, value] of [...data]) {
    if (value instanceof File) {
      data.delete(name);
    }
  }
  return data;
}

function clockNow() {
  return new Date().toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
}

async function save(form) {
  if (form.dataset.dirty !== "true" || running.has(form)) {
    return;
  }
  running.add(form);
  form.dataset.dirty = "false";
  show(form, "saving");
  try {
    const response = await fetch(form.dataset.autosave, {
      method: "POST",
      body: draftOf(form),
      headers: { "X-CSRFToken": csrfToken(), "X-Autosave": "1", Accept: "application/json" },
    });
    const isJson = response.headers.get("Content-Type")?.includes("json");
    const answer = isJson ? await response.json() : {};
    if (!response.ok || response.redirected) {
      throw Object.assign(new Error(), { status: response.status, words: answer.error });
    }
    if (answer.version !== undefined && form.elements.version) {
      form.elements.version.value = answer.version;
    }
    show(form, "saved", answer.saved_at ?? clockNow());
  } catch (error) {
    failed(form, error);
  } finally {
    running.delete(form);
    if (form.dataset.dirty === "true" && !timers.has(form)) {
      later(form, PAUSE);
    }
  }
}

function failed(form, error) {
  show(form, "failed");
  if (error.status && error.status < 500) {
    toast({ level: "error", text: error.words ?? word(error.status === 409 ? "gone" : "failed") });
    return; // asking again would get the same answer
  }
  form.dataset.dirty = "true";
  later(form, RETRY);
}

function later(form, wait) {
  clearTimeout(timers.get(form));
  const timer = setTimeout(() => {
    timers.delete(form);
    if (form.isConnected) {
      save(form);
    }
  }, wait);
  timers.set(form, timer);
}

for (const name of ["input", "change"]) {
  document.addEventListener(name, (event) => {
    const form = event.target.closest?.("form[data-autosave]");
    if (form && event.target.name) {
      form.dataset.dirty = "true";
      later(form, PAUSE);
    }
  });
}

document.addEventListener("submit", (event) => clearTimeout(timers.get(event.target)));

document.addEventListener("visibilitychange", () => {
  if (document.visibilityState !== "hidden") {
    return;
  }
  for (const form of document.querySelectorAll('form[data-autosave][data-dirty="true"]')) {
    form.dataset.dirty = "false";
    fetch(form.dataset.autosave, {
      method: "POST",
      body: draftOf(form),
      keepalive: true,
      headers: { "X-CSRFToken": csrfToken(), "X-Autosave": "1" },
    }).catch(() => (form.dataset.dirty = "true"));
  }
});
