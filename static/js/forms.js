// Forms: errors take the focus, a form is not sent twice, and nothing typed is lost without a word.
import { toast } from "./toasts.js";

function focusProblems(root) {
  const summary = root.querySelector?.("[data-focus]");
  if (summary) {
    summary.focus();
  } else if (document.activeElement === document.body || !root.contains(document.activeElement)) {
    root.querySelector?.("form[method=post] [aria-invalid=true]")?.focus();
  }
}

function isDirty(form) {
  return form.dataset.dirty === "true";
}

document.addEventListener("input", (event) => {
  const form = event.target.closest("form[data-guard], form[data-autosave]");
  if (form) {
    form.dataset.dirty = "true";
  }
});

document.addEventListener("change", (event) => {
  const one = event.target.closest("[data-submit-on-change]");
  (one instanceof HTMLFormElement ? one : one?.form)?.requestSubmit();
});

// What answered a mistake (422, 409) was posted. Once it is corrected and sent, its place in the history becomes that of
// the page it came from: going back shows a page, and never the question whether to send the mistake again.
function forgetMistake(form) {
  const [visit] = performance.getEntriesByType("navigation");
  if ([409, 422].includes(visit?.responseStatus) && document.referrer.startsWith(`${location.origin}/`)) {
    form.setAttribute("action", new URL(form.getAttribute("action") ?? "", location.href).href);
    history.replaceState(null, "", document.referrer);
  }
}

// A double click must not book twice. Set after the event, so that the pressed button's name is still sent.
function sendOnce(event) {
  const form = event.target;
  if (event.defaultPrevented || form.method === "get" || form.method === "dialog") {
    return;
  }
  if (form.dataset.sent === "true") {
    event.preventDefault();
    return;
  }
  form.dataset.dirty = "false";
  form.dataset.sent = "true";
  forgetMistake(form);
  setTimeout(() => event.submitter?.setAttribute("aria-busy", "true"));
  if (form.dataset.download) {
    // Answered by a file, and the page stays: the dialog has done its work.
    setTimeout(() => form.closest("dialog")?.close(), 300);
    toast({ level: "success", text: form.dataset.download });
  }
  setTimeout(() => {
    // A download or a failed send leaves the page here: let it be sent again.
    form.dataset.sent = "false";
    event.submitter?.removeAttribute("aria-busy");
  }, 4000);
}

document.addEventListener("submit", sendOnce);

// A form made for a dialog that stands on a page of its own is sent as a page: its answer would open over it otherwise.
document.addEventListener(
  "submit",
  (event) => {
    const form = event.target;
    if (form.getAttribute("hx-target") === "#dialog-host" && !form.closest("dialog")) {
      event.stopPropagation();
      sendOnce(event);
    }
  },
  true,
);

// What was posted and shown at once (a new token, say) is not posted again by loading the page anew.
if (document.body.dataset.posted !== undefined && !document.querySelector(".error-summary, .is-invalid")) {
  history.replaceState(null, "", location.href);
}

document.addEventListener("htmx:beforeRequest", (event) => {
  const form = event.detail.elt.closest?.("form");
  if (form && event.detail.requestConfig.verb !== "get") {
    form.dataset.dirty = "false";
  }
});

window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) {
    form.dataset.sent = "false";
  }
});

window.addEventListener("beforeunload", (event) => {
  if ([...document.querySelectorAll("form[data-guard]")].some(isDirty)) {
    event.preventDefault();
  }
});

// A link to a field in the summary of errors goes into the field, not only to it.
document.addEventListener("click", (event) => {
  const link = event.target.closest('.error-summary a[href^="#"]');
  const field = link && document.getElementById(decodeURIComponent(link.hash.slice(1)));
  if (field) {
    event.preventDefault();
    field.scrollIntoView({ block: "center" });
    (field.querySelector("input:checked, input") ?? field).focus();
  }
});

// Back to a form by the browser's own history: what was typed still stands there.
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-history-back]");
  if (link && !event.metaKey && !event.ctrlKey && document.referrer === link.href) {
    event.preventDefault();
    history.back();
  }
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-theme-set]");
  if (button) {
    const theme = button.dataset.themeSet;
    if (theme === "auto") {
      document.documentElement.removeAttribute("data-theme");
    } else {
      document.documentElement.dataset.theme = theme;
    }
  }
});

document.addEventListener("htmx:afterSettle", (event) => focusProblems(event.detail.elt));
focusProblems(document);
