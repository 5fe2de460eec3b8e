// [data-sort-list]: lines whose order matters. Dragged by the handle, or moved with Alt+↑ and Alt+↓.
function changed(list) {
  [...list.children].forEach((item, index) => {
    item.querySelector(".sort-number").textContent = index + 1;
  });
  list.querySelector("input").dispatchEvent(new Event("input", { bubbles: true }));
}

function move(item, before) {
  const list = item.parentElement;
  list.insertBefore(item, before);
  changed(list);
}

document.addEventListener("keydown", (event) => {
  const item = event.target.closest?.("[data-sort-item]");
  if (!item || !event.altKey || (event.key !== "ArrowUp" && event.key !== "ArrowDown")) {
    return;
  }
  event.preventDefault();
  const focused = document.activeElement;
  const up = event.key === "ArrowUp";
  const neighbour = up ? item.previousElementSibling : item.nextElementSibling;
  if (neighbour) {
    move(item, up ? neighbour : neighbour.nextElementSibling);
    focused.focus();
  }
});

document.addEventListener("pointerdown", (event) => {
  const handle = event.target.closest("[data-sort-handle]");
  const item = handle?.closest("[data-sort-item]");
  if (!item || event.button !== 0) {
    return;
  }
  event.preventDefault();
  handle.setPointerCapture(event.pointerId);
  item.dataset.dragging = "";
  const drag = (motion) => {
    const others = [...item.parentElement.children].filter((other) => other !== item);
    const before = others.find((other) => {
      const box = other.getBoundingClientRect();
      return motion.clientY < box.top + box.height / 2;
    });
    if (item.nextElementSibling !== (before ?? null)) {
      item.parentElement.insertBefore(item, before ?? null);
    }
  };
  const drop = () => {
    delete item.dataset.dragging;
    handle.removeEventListener("pointermove", drag);
    changed(item.parentElement);
  };
  handle.addEventListener("pointermove", drag);
  handle.addEventListener("pointerup", drop, { once: true });
  handle.addEventListener("pointercancel", drop, { once: true });
});

document.addEventListener("click", (event) => {
  const item = event.target.closest("[data-sort-clear]")?.closest("[data-sort-item]");
  if (item) {
    item.querySelector("input").value = "";
    move(item, null);
    item.parentElement.querySelector("input").focus();
  }
});
