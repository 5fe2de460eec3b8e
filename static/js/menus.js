// Menus are <details data-menu>: this places them, moves in them by arrow keys, and closes them.
const GAP = 4;

function isOpen(menu) {
  return menu.matches("details[data-menu][open]");
}

export function closeMenus(except) {
  for (const menu of document.querySelectorAll("details[data-menu][open]")) {
    if (menu !== except) {
      menu.open = false;
    }
  }
}

// Fixed to the window, so that a scrolling table does not cut the menu off.
function place(menu) {
  const pop = menu.querySelector(".menu-pop");
  const anchor = menu.querySelector("summary").getBoundingClientRect();
  pop.style.position = "fixed";
  const { offsetWidth: width, offsetHeight: height } = pop;
  const beside = menu.dataset.menu === "beside" && anchor.bottom < innerHeight - 56;
  const end = menu.classList.contains("menu-end") || anchor.left + width > innerWidth - 8;
  let left = beside ? anchor.right + GAP + 4 : end ? anchor.right - width : anchor.left;
  let top = beside ? anchor.top : anchor.bottom + GAP;
  if (top + height > innerHeight - 8) {
    top = beside ? innerHeight - height - 8 : anchor.top - GAP - height;
  }
  left = Math.max(8, Math.min(left, innerWidth - width - 8));
  Object.assign(pop.style, { left: `${left}px`, top: `${Math.max(8, top)}px`, right: "auto", bottom: "auto" });
}

document.addEventListener(
  "toggle",
  (event) => {
    const menu = event.target;
    if (menu instanceof HTMLDetailsElement && isOpen(menu)) {
      closeMenus(menu);
      place(menu);
    }
  },
  true,
);

document.addEventListener("click", (event) => {
  const menu = event.target.closest("details[data-menu]");
  if (!menu) {
    closeMenus();
  } else if (event.target.closest(".menu-item:not(:disabled)")) {
    setTimeout(() => (menu.open = false));
  }
});

document.addEventListener(
  "scroll",
  (event) => {
    // The menu goes along with its button, and away when the button leaves the window.
    const menu = document.querySelector("details[data-menu][open]");
    if (!menu || event.target.closest?.(".menu-pop")) {
      return;
    }
    const { top, bottom } = menu.querySelector("summary").getBoundingClientRect();
    if (bottom < 0 || top > innerHeight) {
      closeMenus();
    } else {
      place(menu);
    }
  },
  true,
);

document.addEventListener("keydown", (event) => {
  const menu = event.target.closest?.("details[data-menu]");
  if (!menu) {
    return;
  }
  if (event.key === "Escape" && menu.open) {
    event.preventDefault();
    event.stopPropagation();
    menu.open = false;
    menu.querySelector("summary").focus();
    return;
  }
  const steps = { ArrowDown: 1, ArrowUp: -1, Home: 0, End: 0 };
  if (!(event.key in steps)) {
    return;
  }
  event.preventDefault();
  menu.open = true;
  const shown = [...menu.querySelectorAll(".menu-item:not(:disabled)")].filter((item) => getComputedStyle(item).display !== "none");
  const at = shown.indexOf(document.activeElement);
  const next = event.key === "Home" ? 0 : event.key === "End" ? shown.length - 1 : at + steps[event.key];
  shown[(next + shown.length) % shown.length]?.focus();
});
