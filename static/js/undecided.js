// The undecided board: a card is dragged (or sent by `m`, or by a long press) to another class. The form that asks
// for the reason stands in the new place; the old place stays marked until the move is saved or given up.
import { isTyping } from "./words.js";

const LONG = 500; // milliseconds of a long press
let dragged;
let moving; // { card, ghost, place }

const board = () => document.querySelector("[data-und-board]");
const cardOf = (target) => target.closest?.("[data-und-card]");
const listOf = (column) => column?.querySelector("[data-und-list]");

function ghostOf(card) {
  const ghost = document.createElement("div");
  ghost.className = "und-ghost";
  ghost.textContent = `${card.dataset.name} ${board().dataset.ghost}`;
  return ghost;
}

function giveUp() {
  if (!moving) {
    return;
  }
  const { card, ghost } = moving;
  document.querySelector("[data-und-form]")?.remove();
  moving.place?.remove();
  ghost.replaceWith(card);
  moving = undefined;
  card.querySelector("a")?.focus({ preventScroll: true });
}

// Ask in `list` (on top) for the move of `card`; without `code` the form lets choose the class.
async function ask(card, list, code) {
  giveUp();
  const place = document.createElement("div");
  const ghost = ghostOf(card);
  moving = { card, ghost, place };
  if (code) {
    card.replaceWith(ghost);
    list.prepend(place);
  } else {
    card.before(place);
    card.replaceWith(ghost);
    ghost.hidden = true;
  }
  const query = new URLSearchParams(board().dataset.query);
  if (code) {
    query.set("to", code);
  }
  const url = `${board().dataset.moveUrl.replace("/0/", `/${card.dataset.undCard}/`)}?${query}`;
  try {
    await window.htmx.ajax("GET", url, { target: place, swap: "outerHTML" });
  } finally {
    const form = document.querySelector("[data-und-form]");
    if (!form && moving?.place === place) {
      giveUp();
    }
    form?.scrollIntoView({ block: "nearest" });
    form?.querySelector("[autofocus], input:not([type=hidden])")?.focus();
  }
}

document.addEventListener("dragstart", (event) => {
  const card = cardOf(event.target);
  if (!card || event.target.closest("[data-und-form]")) {
    return;
  }
  dragged = card;
  card.dataset.dragging = "true";
  event.dataTransfer.effectAllowed = "move";
  event.dataTransfer.setData("text/plain", card.dataset.name);
});

function letGo() {
  dragged?.removeAttribute("data-dragging");
  dragged = undefined;
  document.querySelectorAll("[data-und-column][data-over]").forEach((column) => column.removeAttribute("data-over"));
}

document.addEventListener("dragend", letGo);

document.addEventListener("dragover", (event) => {
  const column = dragged && event.target.closest?.("[data-und-column]");
  document.querySelectorAll("[data-und-column][data-over]").forEach((other) => {
    if (other !== column) {
      other.removeAttribute("data-over");
    }
  });
  if (column && column.dataset.undColumn !== dragged.dataset.klass) {
    event.preventDefault();
    column.dataset.over = "true";
  }
});

document.addEventListener("drop", (event) => {
  const column = dragged && event.target.closest?.("[data-und-column]");
  if (!column || column.dataset.undColumn === dragged.dataset.klass) {
    return;
  }
  event.preventDefault();
  const card = dragged;
  letGo(); // a card that leaves the page while dragged ends without a word
  ask(card, listOf(column), column.dataset.undColumn);
});

document.addEventListener("click", (event) => {
  const pick = board() && event.target.closest?.("[data-und-pick]");
  if (pick && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    const card = cardOf(pick);
    ask(card, card.parentElement);
  }
  const cancel = event.target.closest?.("[data-und-cancel]");
  if (cancel && moving) {
    giveUp();
  } else if (cancel) {
    history.back();
  }
});

document.addEventListener("keydown", (event) => {
  if (!board()) {
    return;
  }
  const card = cardOf(event.target);
  if (event.key === "m" && card && !isTyping(event.target) && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    ask(card, card.parentElement);
  } else if (event.key === "Escape" && moving && event.target.closest("[data-und-form]")) {
    event.preventDefault();
    giveUp();
  }
});

// On a touch screen dragging scrolls; a long press lets choose the class.
let press;
document.addEventListener("pointerdown", (event) => {
  const card = event.pointerType === "touch" && board() && cardOf(event.target);
  if (card) {
    press = setTimeout(() => {
      press = "asked";
      ask(card, card.parentElement);
    }, LONG);
  }
});
for (const name of ["pointerup", "pointercancel", "pointermove", "scroll"]) {
  document.addEventListener(name, (event) => {
    const little = name === "pointermove" && Math.abs(event.movementX) + Math.abs(event.movementY) < 4;
    if (typeof press === "number" && !little) {
      clearTimeout(press);
      press = undefined;
    }
  }, { passive: true, capture: true });
}
document.addEventListener("contextmenu", (event) => {
  if (press === "asked" && cardOf(event.target)) {
    event.preventDefault();
  }
  press = undefined;
});

// Saved: the new card came with the answer, on top of where the form stood.
document.addEventListener("htmx:afterSwap", (event) => {
  if (!moving || !event.detail.successful || event.detail.requestConfig?.verb !== "post") {
    return;
  }
  const answered = board()?.querySelector(`[data-und-card="${moving.card.dataset.undCard}"]`);
  if (!answered) {
    return;
  }
  moving.ghost.remove();
  moving = undefined;
  const column = board().querySelector(`[data-und-column="${answered.dataset.klass}"]`);
  if (column && !column.contains(answered)) {
    listOf(column).prepend(answered);
  }
  answered.querySelector("a")?.focus({ preventScroll: true });
});
