// [data-poll="4"] with hx-trigger="poll": asks anew every few seconds, but never under someone's hands.
import { isTyping } from "./words.js";

const last = new WeakMap();

function isBusy(element) {
  const focused = element.contains(document.activeElement) && isTyping(document.activeElement);
  return (
    focused ||
    element.querySelector("details[data-menu][open], dialog[open], [data-dirty=true], .htmx-request, [data-dragging]") !== null
  );
}

setInterval(() => {
  if (document.visibilityState === "hidden") {
    return;
  }
  const now = Date.now();
  for (const element of document.querySelectorAll("[data-poll]")) {
    const due = (last.get(element) ?? now - 1) + Number(element.dataset.poll) * 1000;
    if (!last.has(element)) {
      last.set(element, now);
    } else if (now >= due && !isBusy(element)) {
      last.set(element, now);
      window.htmx?.trigger(element, "poll");
    }
  }
}, 500);

// The server does not take asking by itself for somebody's use of the session.
document.addEventListener("htmx:configRequest", (event) => {
  if (event.detail.triggeringEvent?.type === "poll") {
    event.detail.headers["X-Poll"] = "1";
  }
});
