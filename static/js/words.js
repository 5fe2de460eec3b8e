// Words and tokens the server put into the page for scripts.
export function word(name) {
  return document.getElementById("words")?.dataset[name] ?? "";
}

export function csrfToken() {
  const headers = document.body.getAttribute("hx-headers");
  return headers ? JSON.parse(headers)["x-csrftoken"] : "";
}

// Said to screen readers only.
export function say(text) {
  const live = document.getElementById("live");
  if (live) {
    live.textContent = "";
    setTimeout(() => (live.textContent = text), 50);
  }
}

export function isTyping(element) {
  return Boolean(element?.closest?.("input:not([type=checkbox], [type=radio], [type=button], [type=submit], [type=file]), textarea, select, [contenteditable]"));
}
