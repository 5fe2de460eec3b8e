// The calendar: moving by pointer, finger or keys, the column a phone shows, and the line of now.
// Nothing here is needed to book or move; the drawer of an appointment has the forms.
import { csrfToken, say } from "./words.js";

const STEP = 5; // minutes a row stands for
const HOLD = 350; // milliseconds until a finger has taken hold
const EDGE = 40; // pixels from the edge where the calendar scrolls by itself

const grid = () => document.getElementById("cal-grid");
const scroller = () => document.getElementById("cal-scroll");
const words = () => document.getElementById("cal-words")?.dataset ?? {};
const clock = (minutes) => `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
const minutesOf = (text) => Number(text.slice(0, 2)) * 60 + Number(text.slice(3, 5));
const number = (name) => Number(grid().dataset[name]);
const snap = () => Math.min(number("grid"), 15);
const columns = () => [...grid().querySelectorAll(".cal-col")].filter((column) => column.getClientRects().length);

let held = null; // what is being moved

function rowsOf(column) {
  return column.querySelector("[data-cal-rows]");
}

// The minutes of the day at a height of the screen.
function minutesAt(column, y) {
  const box = rowsOf(column).getBoundingClientRect();
  return number("top") + ((y - box.top) / box.height) * (number("bottom") - number("top"));
}

function place(element, start, end) {
  const row = (minutes) => Math.round((minutes - number("top")) / STEP) + 1;
  element.style.gridRow = `${row(start)} / ${Math.max(row(end), row(start) + 1)}`;
}

function isTaken(column, start, end) {
  return [...column.querySelectorAll(".cal-appt")].some((other) => {
    const from = minutesOf(other.dataset.at);
    return other.dataset.appt !== held.appt && start < from + Number(other.dataset.minutes) && from < end;
  });
}

// A thing that is held: an appointment, or somebody who waits.
function take(element) {
  const appt = element.dataset.appt;
  const ghost = document.createElement("div");
  ghost.className = "cal-ghost";
  const title = document.createElement("b");
  const who = document.createElement("span");
  who.textContent = element.dataset.name ?? element.querySelector("b").textContent;
  ghost.append(title, who);
  held = { element, appt, ghost, title, wait: element.dataset.wait, minutes: Number(element.dataset.minutes) };
  element.classList.add("is-moving");
  element.setAttribute("aria-busy", "true");
  scroller().dataset.dragging = "";
  return held;
}

function show(column, start) {
  const latest = number("bottom") - held.minutes;
  const at = Math.max(number("top"), Math.min(latest, Math.round(start / snap()) * snap()));
  if (held.column === column && held.at === at) {
    return;
  }
  Object.assign(held, { column, at });
  rowsOf(column).append(held.ghost);
  place(held.ghost, at, at + held.minutes);
  held.title.textContent = (held.wait ? words().bookAt : words().moveTo).replace("{time}", clock(at));
  held.ghost.classList.toggle("is-taken", isTaken(column, at, at + held.minutes));
}

function letGo() {
  held?.ghost.remove();
  held?.element.classList.remove("is-moving");
  held?.element.removeAttribute("aria-busy");
  delete scroller()?.dataset.dragging;
  held = null;
}

function isUnmoved() {
  const { element, column, at } = held;
  return !column || (held.appt && element.closest(".cal-col") === column && minutesOf(element.dataset.at) === at);
}

function drop() {
  if (isUnmoved()) {
    letGo();
    return;
  }
  const { column, at, appt, wait } = held;
  const look = document.getElementById("cal").dataset.look;
  const path = appt ? `/appointments/${appt}/drop/` : `/waiting/${wait}/book/`;
  held.sent = true;
  const values = { by: grid().dataset.by, col: column.dataset.col, day: column.dataset.day, at: clock(at) };
  const done = () => {
    letGo();
    document.getElementById(`a-${appt}`)?.focus({ preventScroll: true });
  };
  window.htmx
    .ajax("POST", path + look, { source: "#cal", target: "#cal", swap: "none", values, headers: { "x-csrftoken": csrfToken() } })
    .then(done, done);
}

// --- by pointer ------------------------------------------------------------------------------

function columnAt(x) {
  return columns().find((column) => {
    const box = column.getBoundingClientRect();
    return x >= box.left && x < box.right;
  });
}

function follow(event, offset) {
  const box = scroller().getBoundingClientRect();
  const beside = event.clientX > box.right || event.clientX < box.left;
  if (!beside) {
    const down = event.clientY > box.bottom - EDGE ? 1 : event.clientY < box.top + EDGE + 50 ? -1 : 0;
    const right = event.clientX > box.right - EDGE ? 1 : event.clientX < box.left + EDGE ? -1 : 0;
    scroller().scrollBy(right * 12, down * 12);
  }
  const column = beside ? null : columnAt(event.clientX);
  if (column) {
    show(column, minutesAt(column, event.clientY) - offset);
  }
}

function watch(event, element) {
  const start = { x: event.clientX, y: event.clientY };
  const isTouch = event.pointerType === "touch";
  const own = element.closest(".cal-col");
  const offset = own ? minutesAt(own, event.clientY) - minutesOf(element.dataset.at) : 0;
  let dragging = false;
  let timer = 0;
  const begin = () => {
    dragging = true;
    take(element);
    if (own) {
      show(own, minutesOf(element.dataset.at));
    }
  };
  const move = (motion) => {
    const far = Math.hypot(motion.clientX - start.x, motion.clientY - start.y) > 6;
    if (!dragging && far && isTouch && !element.dataset.wait) {
      end(); // the finger scrolls
    } else if (!dragging && far) {
      begin();
    }
    if (dragging) {
      motion.preventDefault();
      follow(motion, offset);
    }
  };
  const still = (touch) => dragging && touch.preventDefault();
  const end = () => {
    clearTimeout(timer);
    document.removeEventListener("pointermove", move);
    document.removeEventListener("pointerup", up);
    document.removeEventListener("pointercancel", cancel);
    document.removeEventListener("touchmove", still);
    document.removeEventListener("keydown", escape, true);
  };
  const up = () => {
    end();
    if (dragging) {
      swallowClick();
      drop();
    }
  };
  const cancel = () => {
    end();
    letGo();
  };
  const escape = (key) => {
    if (key.key === "Escape" && dragging) {
      key.preventDefault();
      swallowClick();
      cancel();
    }
  };
  if (isTouch && !element.dataset.wait) {
    timer = setTimeout(begin, HOLD);
  }
  document.addEventListener("pointermove", move, { passive: false });
  document.addEventListener("pointerup", up);
  document.addEventListener("pointercancel", cancel);
  document.addEventListener("touchmove", still, { passive: false });
  document.addEventListener("keydown", escape, true);
}

// The click that ends a drag does not open the appointment.
function swallowClick() {
  const swallow = (event) => {
    event.preventDefault();
    event.stopPropagation();
  };
  document.addEventListener("click", swallow, { capture: true, once: true });
  setTimeout(() => document.removeEventListener("click", swallow, { capture: true }), 50);
}

document.addEventListener("pointerdown", (event) => {
  const grip = event.target.closest?.("[data-wait-grip]");
  const element = grip?.closest("[data-wait]") ?? event.target.closest?.(".cal-appt:not([data-fixed])");
  if (!element || !grid() || held || event.button !== 0) {
    return;
  }
  if (grip) {
    event.preventDefault();
  }
  watch(event, element);
});

document.addEventListener("dragstart", (event) => {
  if (event.target.closest?.(".cal-appt")) {
    event.preventDefault();
  }
});

document.addEventListener("contextmenu", (event) => {
  if (held && event.target.closest?.(".cal-appt")) {
    event.preventDefault(); // a long press is a hold
  }
});

// --- by keys ---------------------------------------------------------------------------------

const TURNS = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };

function turn([aside, down]) {
  const every = columns();
  const next = every[Math.max(0, Math.min(every.length - 1, every.indexOf(held.column) + aside))];
  show(next, held.at + down * snap());
  held.ghost.scrollIntoView({ block: "nearest", inline: "nearest" });
  say(`${held.title.textContent} ${next.getAttribute("aria-label")}`);
}

document.addEventListener(
  "keydown",
  (event) => {
    const focused = document.activeElement?.closest?.(".cal-appt:not([data-fixed])");
    if (held?.keys && !held.sent) {
      const known = TURNS[event.key] || event.key === "Enter" || event.key === "Escape" || event.key === "Tab";
      if (!known) {
        return;
      }
      event.preventDefault();
      event.stopImmediatePropagation();
      if (TURNS[event.key]) {
        turn(TURNS[event.key]);
      } else if (event.key === "Enter") {
        drop();
      } else {
        letGo();
        say(words().stays);
      }
    } else if (focused && !held && event.key === "m" && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      event.stopImmediatePropagation();
      take(focused).keys = true;
      show(focused.closest(".cal-col"), minutesOf(focused.dataset.at));
      say(words().how.replace("{name}", focused.querySelector("b").textContent));
    }
  },
  true,
);

document.addEventListener("pointerdown", () => held?.keys && !held.sent && letGo(), true);

// --- free times: a tap within a long one says when --------------------------------------------

document.addEventListener(
  "click",
  (event) => {
    const free = event.target.closest?.(".cal-free");
    if (!free || event.detail === 0) {
      return;
    }
    const column = free.closest(".cal-col");
    const first = minutesOf(free.dataset.free);
    const step = number("grid");
    const at = first + Math.max(0, Math.floor((minutesAt(column, event.clientY) - first) / step)) * step;
    free.href = free.href.replace(/([?&]at=)[^&]*/, `$1${clock(at)}`);
  },
  true,
);

// --- what is drawn anew -----------------------------------------------------------------------

// An answer that was on its way when the drag began must not take it away.
document.addEventListener("htmx:beforeSwap", (event) => {
  if (held && event.detail.elt?.id === "cal" && event.detail.requestConfig?.verb === "get") {
    event.detail.shouldSwap = false;
  }
});

let shown = null;

function showColumn(index) {
  const every = [...(grid()?.querySelectorAll(".cal-col") ?? [])];
  every.forEach((column, place) => column.classList.toggle("is-shown", place === index));
  for (const button of document.querySelectorAll("[data-cal-show]")) {
    button.toggleAttribute("aria-current", Number(button.dataset.calShow) === index);
    if (Number(button.dataset.calShow) === index) {
      button.setAttribute("aria-current", "true");
    }
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-cal-show]");
  if (button) {
    shown = Number(button.dataset.calShow);
    showColumn(shown);
  }
});

function tick() {
  if (!grid()) {
    return;
  }
  const line = grid().querySelector("[data-cal-now]");
  const label = grid().querySelector("[data-cal-clock]");
  if (!line || !label) {
    return;
  }
  const text = new Date().toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: grid().dataset.zone });
  const now = minutesOf(text);
  if (now < number("bottom")) {
    label.textContent = text;
    for (const one of [line, label]) {
      place(one, now, now);
    }
  }
}

setInterval(tick, 20_000);

document.addEventListener("htmx:afterSettle", () => {
  if (grid() && shown !== null) {
    showColumn(shown);
  }
  tick();
});

// The day opens where it is now.
function open() {
  const line = grid()?.querySelector("[data-cal-now]");
  const box = scroller();
  if (line && box && box.scrollHeight > box.clientHeight) {
    box.scrollTop = line.getBoundingClientRect().top - box.getBoundingClientRect().top - box.clientHeight / 3;
  }
  tick();
}

// Monday's hours on the other working days, before anything is sent.
document.addEventListener("click", (event) => {
  const form = event.target.closest?.("[data-copy-monday]")?.form;
  if (form) {
    event.preventDefault();
    const fields = [...form.querySelectorAll("[data-hours]")];
    for (const field of fields.slice(1, 5)) {
      field.value = fields[0].value;
    }
    form.dataset.dirty = "true";
  }
});

open();
