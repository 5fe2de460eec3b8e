// Search in the top bar: results come as one types (htmx), arrow keys choose, Enter opens.
const input = () => document.getElementById("search");
const pop = () => document.getElementById("search-pop");
const options = () => [...(pop()?.querySelectorAll("[role=option]") ?? [])];

let before = null; // what had the focus

document.addEventListener("focusin", (event) => {
  if (event.target === input()) {
    before = event.relatedTarget;
  }
});

function choose(option) {
  for (const other of options()) {
    other.setAttribute("aria-selected", String(other === option));
  }
  if (option) {
    option.id ||= `search-option-${options().indexOf(option)}`;
    input().setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  } else {
    input()?.removeAttribute("aria-activedescendant");
  }
}

export function closeSearch() {
  pop()?.replaceChildren();
  input()?.setAttribute("aria-expanded", "false");
  choose(null);
}

document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target?.id === "dialog-host") {
    closeSearch(); // a dialog opened from the results stands alone
    return;
  }
  if (event.detail.target === pop()) {
    // A slow answer must not open results for words already erased.
    if (!input().value.trim()) {
      closeSearch();
      return;
    }
    input().setAttribute("aria-expanded", "true");
    choose(options()[0] ?? null);
  }
});

document.addEventListener("input", (event) => {
  if (event.target === input() && !event.target.value.trim()) {
    closeSearch();
  }
});

document.addEventListener("keydown", (event) => {
  if (event.target !== input() || event.isComposing) {
    return;
  }
  const list = options();
  const at = list.findIndex((option) => option.getAttribute("aria-selected") === "true");
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    const step = event.key === "ArrowDown" ? 1 : -1;
    choose(list[(at + step + list.length) % list.length] ?? null);
  } else if (event.key === "Enter" && list[at]) {
    event.preventDefault();
    list[at].click();
  } else if (event.key === "Escape") {
    event.preventDefault();
    closeSearch();
    input().value = "";
    (before?.isConnected ? before : document.getElementById("main"))?.focus();
  }
});

document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-search]")) {
    closeSearch();
  }
});
