// A chat: a finding and the words it is about light up together; words that are selected come along into a new
// finding; the score follows the points as they are typed.
const talkOf = (element) => element.closest?.("[data-talk], .try-out");

function light(element, on) {
  const talk = talkOf(element);
  const number = element.closest("[data-finding]")?.dataset.finding ?? element.closest("[data-mark]")?.dataset.mark;
  if (!talk || !number) {
    return;
  }
  for (const part of talk.querySelectorAll(`[data-mark="${number}"], [data-finding="${number}"]`)) {
    part.classList.toggle("is-on", on);
  }
}

for (const [event, on] of [["mouseover", true], ["mouseout", false], ["focusin", true], ["focusout", false]]) {
  document.addEventListener(event, ({ target }) => target instanceof Element && light(target, on));
}

// Words selected inside one message are quoted by the link beside it.
document.addEventListener("selectionchange", () => {
  const selection = document.getSelection();
  const words = selection?.toString().trim() ?? "";
  const bubble = selection?.anchorNode?.parentElement?.closest("[data-bubble]");
  if (!bubble || !words || words.length > 200 || !bubble.contains(selection.focusNode)) {
    return;
  }
  const link = bubble.parentElement.querySelector("[data-quote-link]");
  if (link) {
    link.dataset.quote = words;
  }
});

document.addEventListener("htmx:configRequest", (event) => {
  const quote = event.target.dataset?.quote;
  if (quote && event.target.matches("[data-quote-link]")) {
    event.detail.parameters.quote = quote;
  }
});

function total(form) {
  const points = [...form.querySelectorAll("[data-points]")].map((field) => Number(field.value) || 0);
  const place = form.querySelector("[data-score-total]");
  if (place && points.length) {
    const left = Math.max(0, 100 - points.reduce((sum, value) => sum + value, 0));
    place.textContent = String(Math.round(left * 100) / 100);
  }
}

document.addEventListener("input", (event) => {
  const form = event.target.closest?.("[data-score]");
  if (form) {
    total(form);
  }
});
document.querySelectorAll("[data-score]").forEach(total);
