// Toasts: what was done (5 s, with a way back) and what failed (stays until closed).
import { csrfToken, word } from "./words.js";

const STAY = 5000;
const region = () => document.getElementById("toasts");

function leaveLater(toast) {
  const level = toast.dataset.toast;
  if (level === "error" || level === "warning") {
    return;
  }
  let timer;
  const start = () => (timer = setTimeout(() => toast.remove(), STAY));
  const stop = () => clearTimeout(timer);
  toast.addEventListener("mouseenter", stop);
  toast.addEventListener("focusin", stop);
  toast.addEventListener("mouseleave", start);
  toast.addEventListener("focusout", start);
  start();
}

function hidden(name, value) {
  const input = document.createElement("input");
  input.type = "hidden";
  input.name = name;
  input.value = value;
  return input;
}

function action({ undo, see }) {
  if (see) {
    const link = document.createElement("a");
    link.className = "link";
    link.href = see;
    link.textContent = word("see");
    return link;
  }
  const form = document.createElement("form");
  form.method = "post";
  form.action = undo;
  const button = document.createElement("button");
  button.className = "link";
  button.textContent = word("undo");
  form.append(hidden("csrfmiddlewaretoken", csrfToken()), hidden("next", location.pathname + location.search), button);
  return form;
}

// An open dialog covers the page, so toasts stand inside it; before it goes they come home.
export function placeToasts() {
  const dialog = [...document.querySelectorAll("dialog[open]")].pop();
  const place = region()?.children.length && dialog ? dialog : document.body;
  if (region() && region().parentElement !== place) {
    place.append(region());
  }
}

export function homeToasts() {
  if (region() && region().parentElement !== document.body) {
    document.body.append(region());
  }
}

document.addEventListener("htmx:beforeSwap", homeToasts);
document.addEventListener("htmx:afterSettle", placeToasts);

export function toast({ level = "info", text, undo, see }) {
  const template = document.getElementById(`toast-${level}`) ?? document.getElementById("toast-info");
  const element = template?.content.firstElementChild?.cloneNode(true);
  if (!element || !region()) {
    return;
  }
  const place = element.querySelector(".toast-text");
  place.textContent = text;
  if (undo || see) {
    place.after(action({ undo, see }));
  }
  if (level === "error" && [...region().children].some((other) => other.textContent.trim() === element.textContent.trim())) {
    return; // the same failure said twice tells nothing new
  }
  region().append(element);
  placeToasts();
  leaveLater(element);
}

document.addEventListener("toast", (event) => {
  const detail = event.detail ?? {};
  for (const one of detail.toasts ?? [detail]) {
    if (one.text) {
      toast(one);
    }
  }
});

document.addEventListener("click", (event) => {
  event.target.closest("[data-toast-close]")?.closest("[data-toast]")?.remove();
});

const WORDS = { 401: "signin", 403: "forbidden", 404: "gone", 410: "gone", 413: "large", 429: "busy" };

document.addEventListener("htmx:responseError", (event) => {
  const { status, responseText } = event.detail.xhr;
  const stale = status === 403 && responseText.includes("data-stale");  // the form's token, not the role
  toast({ level: "error", text: word(stale ? "stale" : (WORDS[status] ?? "failed")) });
});

for (const name of ["htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(name, (event) => {
    if (event.detail.requestConfig?.triggeringEvent?.type !== "poll") {  // what asks by itself will ask again
      toast({ level: "error", text: word("offline") });
    }
  });
}

for (const element of region()?.children ?? []) {
  leaveLater(element);
}
for (const form of document.querySelectorAll("#toasts form")) {
  form.append(hidden("next", location.pathname + location.search));
}
