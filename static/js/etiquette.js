// form[data-etiquette]: counts the answers, reckons the score as it comes, goes on to the next item, and takes
// 1, 2, 3 and 0 for yes, in part, no and "does not apply". form[data-etiquette-rubric]: adds up the points.
import { isTyping } from "./words.js";

const KEYS = { 1: "1", 2: "0.5", 3: "0", 0: "na" };

function itemsOf(form) {
  return [...form.querySelectorAll("[data-etiquette-item]")];
}

function answerOf(item) {
  return item.querySelector("input:checked")?.value;
}

function currentOf(form) {
  return form.querySelector("[data-current]") ?? itemsOf(form).find((item) => answerOf(item) === undefined);
}

function mark(form, current) {
  for (const item of itemsOf(form)) {
    item.toggleAttribute("data-current", item === current);
  }
}

function reckon(form) {
  const items = itemsOf(form);
  let earned = 0;
  let possible = 0;
  for (const item of items) {
    const answer = answerOf(item);
    if (answer !== undefined && answer !== "na") {
      possible += Number(item.dataset.points);
      earned += Number(answer) * Number(item.dataset.points);
    }
  }
  const answered = items.filter((item) => answerOf(item) !== undefined).length;
  const score = form.querySelector("[data-etiquette-score]");
  score.textContent = possible ? String(Math.round((earned * 1000) / possible) / 10) : "—";
  form.querySelector("[data-etiquette-count]").textContent = `${answered} / ${items.length}`;
}

function goOn(form, item) {
  const items = itemsOf(form);
  const after = [...items.slice(items.indexOf(item) + 1), ...items];
  const next = after.find((other) => answerOf(other) === undefined);
  mark(form, next);
  if (next) {
    const box = next.getBoundingClientRect();
    const foot = form.querySelector(".form-actions")?.getBoundingClientRect().top ?? innerHeight;
    if (box.bottom > foot || box.top < 56) {
      const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
      next.scrollIntoView({ block: "center", behavior: calm ? "auto" : "smooth" });
    }
  }
}

function choose(item, value) {
  const input = item.querySelector(`input[value="${CSS.escape(value)}"]`);
  if (input) {
    input.checked = true;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  }
}

document.addEventListener("change", (event) => {
  const item = event.target.closest?.("[data-etiquette-item]");
  const form = item?.closest("[data-etiquette]");
  if (form) {
    reckon(form);
    goOn(form, item);
  }
});

document.addEventListener("focusin", (event) => {
  const item = event.target.closest?.("[data-etiquette-item]");
  if (item) {
    mark(item.closest("[data-etiquette]"), item);
  }
});

document.addEventListener("click", (event) => {
  const rest = event.target.closest?.("[data-etiquette-rest]");
  if (!rest) {
    return;
  }
  event.preventDefault();
  for (const item of itemsOf(rest.form)) {
    if (answerOf(item) === undefined) {
      choose(item, "1");
    }
  }
});

document.addEventListener("keydown", (event) => {
  const form = document.querySelector("[data-etiquette]");
  if (!form || !(event.key in KEYS) || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) {
    return;
  }
  const item = currentOf(form);
  if (item) {
    event.preventDefault();
    document.activeElement?.blur?.();
    choose(item, KEYS[event.key]);
  }
});

document.addEventListener("input", (event) => {
  const form = event.target.closest?.("[data-etiquette-rubric]");
  if (form) {
    const points = [...form.querySelectorAll("input[name$='-points']")].map((field) => Number(field.value) || 0);
    form.querySelector("[data-etiquette-total]").textContent = points.reduce((sum, value) => sum + value, 0);
  }
});

function start() {
  const form = document.querySelector("[data-etiquette]");
  if (form) {
    reckon(form);
    mark(form, currentOf(form));
  }
}

document.addEventListener("htmx:load", start);
start();
