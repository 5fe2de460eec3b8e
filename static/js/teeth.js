// The tooth chart: touching a tooth shows its findings as pressed buttons; the plan's picker names what was picked.
function choose(chart, tooth) {
  chart.querySelectorAll('[data-tooth][aria-current="true"]').forEach((old) => old.removeAttribute("aria-current"));
  tooth.setAttribute("aria-current", "true");
  const form = chart.querySelector(".teeth-acts");
  if (!form) {
    return;
  }
  form.elements.tooth.value = tooth.dataset.tooth;
  form.querySelector("[data-chosen]").textContent = tooth.dataset.tooth;
  const kinds = tooth.dataset.kinds.split(" ");
  for (const button of form.querySelectorAll(".teeth-kinds button")) {
    button.disabled = false;
    button.setAttribute("aria-pressed", kinds.includes(button.value));
  }
}

document.addEventListener("click", (event) => {
  const tooth = event.target.closest("[data-teeth] [data-tooth]");
  if (tooth) {
    event.preventDefault();
    choose(tooth.closest("[data-teeth]"), tooth);
    return;
  }
  const set = event.target.closest("[data-teeth-set]");
  if (set) {
    event.preventDefault();
    const chart = set.closest("[data-teeth]");
    for (const part of chart.querySelectorAll("[data-set]")) {
      part.hidden = part.dataset.set !== set.dataset.teethSet;
    }
    for (const link of chart.querySelectorAll("[data-teeth-set]")) {
      link.toggleAttribute("aria-current", link === set);
      if (link === set) {
        link.setAttribute("aria-current", "true");
      }
    }
    const milk = chart.querySelector('[name="milk"]');
    if (milk) {
      milk.value = set.dataset.teethSet === "milk" ? "1" : "";
    }
  }
});

// Arrow keys walk along the arch.
document.addEventListener("keydown", (event) => {
  const tooth = event.target.closest?.("[data-teeth] [data-tooth]");
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (tooth && step) {
    const all = [...tooth.closest("[data-set]").querySelectorAll("[data-tooth]")];
    all[all.indexOf(tooth) + step]?.focus();
  }
});

document.addEventListener("change", (event) => {
  const picker = event.target.closest("[data-teeth-pick]");
  if (picker) {
    const picked = [...picker.querySelectorAll("input:checked")].map((box) => box.value).sort();
    picker.querySelector("[data-picked]").textContent = picked.join("、") || "—";
  }
});

// The queue keeps its place when it is drawn anew.
let scrolled = 0;
document.addEventListener("htmx:beforeSwap", () => {
  scrolled = document.getElementById("queue")?.scrollLeft ?? 0;
});
document.addEventListener("htmx:afterSettle", () => {
  const queue = document.getElementById("queue");
  if (queue && scrolled) {
    queue.scrollLeft = scrolled;
  }
});

setInterval(() => {
  for (const time of document.querySelectorAll("[data-clock]")) {
    time.textContent = new Date().toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  }
}, 10000);
