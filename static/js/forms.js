// Forms: errors take the focus, a form is not sent twice, and nothing typed is lost without a word.
function focusProblems(root) {
  root.querySelector?.("[data-focus]")?.focus();
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

// A double click must not book twice. Set after the event, so that the pressed button's name is still sent.
document.addEventListener("submit", (event) => {
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
  setTimeout(() => event.submitter?.setAttribute("aria-busy", "true"));
  setTimeout(() => {
    // A download or a failed send leaves the page here: let it be sent again.
    form.dataset.sent = "false";
    event.submitter?.removeAttribute("aria-busy");
  }, 4000);
});

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
