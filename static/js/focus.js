// Where the focus goes when its place is drawn anew, closed or loaded anew: to what it was on, else to what stands
// where that stood, else to the start of the content. Who works by keyboard never has to begin at the top again.
import { isTyping } from "./words.js";

const NOTE = "focus";
const FRESH = 15_000; // milliseconds until what was noted before a page load is forgotten
const FOCUSABLE =
  "a[href], button:not(:disabled), input:not([type=hidden], :disabled), select:not(:disabled), textarea:not(:disabled), summary, [tabindex='0']";
const OWN = ["href", "data-dialog-open", "hx-get", "hx-post", "formaction", "name", "value"];

let outside = null; // what was last pressed beside any dialog and notice: { element, mark }
let held = null; // the mark of what an answer is about to draw anew
let byKeys = true;

function isVisible(element) {
  return element.checkVisibility?.() ?? element.getClientRects().length > 0;
}

function isLost() {
  const focused = document.activeElement;
  return !focused || focused === document.body || !isVisible(focused);
}

function attribute(name, value) {
  return value === null ? `:not([${name}])` : `[${name}="${CSS.escape(value)}"]`;
}

// A selector that finds the same thing after it was drawn anew.
function keyOf(element) {
  if (element.id) {
    return `#${CSS.escape(element.id)}`;
  }
  const own = OWN.filter((name) => name !== "value" || !isTyping(element)); // what was typed is nobody's business here
  const key = element.localName + own.map((name) => attribute(name, element.getAttribute(name))).join("");
  const action = element.form?.getAttribute("action");
  return action ? `form${attribute("action", action)} ${key}` : key;
}

function focusable(place) {
  return [...place.querySelectorAll(FOCUSABLE)].filter((one) => one.tabIndex >= 0 && isVisible(one));
}

// What it is, and its number among what can have the focus in each place that holds it, the nearest first.
function markOf(element) {
  const all = focusable(document.getElementById("main") ?? document.body);
  const places = [];
  for (let place = element.parentElement; place && place.id !== "main"; place = place.parentElement) {
    places.push({ place, id: place.id, at: all.filter((one) => place.contains(one)).indexOf(element) });
  }
  return { key: keyOf(element), places };
}

function shown(element) {
  const menu = element.closest("details:not([open])");
  return menu && menu.querySelector("summary") !== element ? menu.querySelector("summary") : element;
}

// Never a button: one more Enter would do to the next what was just done to this one.
function beside({ place, id, at }) {
  const now = place?.isConnected ? place : id && document.getElementById(id);
  const all = now ? focusable(now) : [];
  const near = all.map((one, index) => [Math.abs(index - at), one]).filter(([, one]) => one.localName !== "button");
  return near.sort(([one], [other]) => one - other)[0]?.[1];
}

function successor(mark) {
  const dialog = [...document.querySelectorAll("dialog[open]")].pop();
  const within = (one) => one && isVisible(one) && (!dialog || dialog.contains(one));
  const same = [...document.querySelectorAll(mark.key)].map(shown).find(within);
  return same ?? mark.places.map(beside).find(within) ?? (dialog ? focusable(dialog)[0] : document.getElementById("main"));
}

function restore(mark, options) {
  if (mark && isLost()) {
    successor(mark)?.focus(options);
  }
}

function lastMark() {
  return outside && (outside.element?.isConnected ? markOf(outside.element) : outside.mark);
}

function note({ target }) {
  const element = target.closest?.(FOCUSABLE);
  if (element && !element.closest("dialog, #toasts, .search-pop")) {
    outside = { element, mark: null };
  }
}

document.addEventListener("click", note, true);
document.addEventListener("change", note, true);
document.addEventListener("keydown", () => (byKeys = true), true);
document.addEventListener("pointerdown", () => (byKeys = false), true);

// --- parts drawn anew --------------------------------------------------------------------------

function isAskedAlone(event) {
  return event.detail.requestConfig?.triggeringEvent?.type === "poll";
}

document.addEventListener("htmx:beforeSwap", (event) => {
  if (!isLost() && !isAskedAlone(event)) {
    note({ target: document.activeElement });
  }
  if (outside) {
    outside.mark = lastMark();
  }
  held = isLost() ? outside?.mark : markOf(document.activeElement);
});

function settle(event) {
  const mark = held;
  // After all others that know better where it belongs.
  setTimeout(() => restore(mark, { preventScroll: isAskedAlone(event) }));
}

document.addEventListener("htmx:afterSettle", settle);
document.addEventListener("htmx:afterOnLoad", (event) => setTimeout(() => settle(event), 60)); // nothing was put in place

// --- dialogs -----------------------------------------------------------------------------------

document.addEventListener("close", () => setTimeout(() => restore(lastMark())), true);

// --- pages loaded anew -------------------------------------------------------------------------

function remember(opens = false) {
  if (byKeys) {
    const note = { path: location.pathname, mark: lastMark(), opens, at: Date.now() };
    sessionStorage.setItem(NOTE, JSON.stringify(note, (name, value) => (name === "place" ? undefined : value)));
  }
}

document.addEventListener("submit", (event) => {
  if (!event.defaultPrevented && event.target.method === "post") {
    remember();
  }
});

// A row of a list opens what stands beside the list: on there, not through the whole list again.
document.addEventListener("click", (event) => {
  if (event.target.closest("a.row-link[href]") && !event.defaultPrevented) {
    remember(true);
  }
});

document.addEventListener("htmx:beforeOnLoad", (event) => {
  const { xhr } = event.detail;
  if (["HX-Redirect", "HX-Refresh", "HX-Location"].some((name) => xhr.getResponseHeader(name))) {
    remember();
  }
});

function arrive() {
  const { path, mark, opens, at } = JSON.parse(sessionStorage.getItem(NOTE) ?? "{}");
  sessionStorage.removeItem(NOTE);
  if (!path || Date.now() - at > FRESH || !isLost()) {
    return;
  }
  const made = location.hash ? document.getElementById(location.hash.slice(1)) : null; // what the address names
  if (made?.matches(FOCUSABLE)) {
    made.focus();
  } else if (path === location.pathname && mark && !opens) {
    outside ??= { element: null, mark };
    restore(mark);
  } else {
    const main = opens ? null : document.getElementById("main");
    (document.querySelector("[data-arrive]") ?? main)?.focus({ preventScroll: true });
  }
}

setTimeout(arrive); // after those that show a mistake
