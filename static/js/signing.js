// form[data-signature]: drawn on a canvas, sent as path data. [data-sum]: what is to be paid, while prices are typed.
const strokes = new WeakMap();

function spot(canvas, event) {
  const box = canvas.getBoundingClientRect();
  const x = ((event.clientX - box.left) / box.width) * canvas.width;
  const y = ((event.clientY - box.top) / box.height) * canvas.height;
  const kept = (value, most) => Math.min(most, Math.max(0, Math.round(value * 10) / 10));
  return [kept(x, canvas.width), kept(y, canvas.height)];
}

function pathOf(canvas) {
  const lines = strokes.get(canvas) ?? [];
  return lines.filter((line) => line.length > 1).map((line) => "M" + line.map((p) => p.join(" ")).join("L")).join("");
}

function keep(canvas) {
  const form = canvas.closest("form");
  form.elements.signature.value = pathOf(canvas);
  const drawn = (strokes.get(canvas) ?? []).flat().length > 9;
  form.closest("dialog").querySelector("[data-signature-send]").disabled = !drawn;
}

function draw(canvas) {
  const pen = canvas.getContext("2d");
  pen.clearRect(0, 0, canvas.width, canvas.height);
  pen.strokeStyle = getComputedStyle(canvas).color;
  pen.lineWidth = 3;
  pen.lineCap = pen.lineJoin = "round";
  for (const line of strokes.get(canvas) ?? []) {
    pen.beginPath();
    line.forEach(([x, y], index) => (index ? pen.lineTo(x, y) : pen.moveTo(x, y)));
    pen.stroke();
  }
}

document.addEventListener("pointerdown", (event) => {
  const canvas = event.target.closest?.("[data-signature] canvas");
  if (!canvas || event.button !== 0) {
    return;
  }
  event.preventDefault();
  canvas.setPointerCapture(event.pointerId);
  const lines = strokes.get(canvas) ?? [];
  strokes.set(canvas, lines);
  const line = [spot(canvas, event)];
  lines.push(line);
  const go = (motion) => {
    line.push(spot(canvas, motion));
    draw(canvas);
  };
  const stop = () => {
    canvas.removeEventListener("pointermove", go);
    keep(canvas);
  };
  canvas.addEventListener("pointermove", go);
  canvas.addEventListener("pointerup", stop, { once: true });
  canvas.addEventListener("pointercancel", stop, { once: true });
});

document.addEventListener("click", (event) => {
  const canvas = event.target.closest("[data-signature-clear]")?.closest("dialog").querySelector("canvas");
  if (canvas) {
    strokes.set(canvas, []);
    draw(canvas);
    keep(canvas);
  }
});

document.addEventListener("input", (event) => {
  const card = event.target.closest("[data-sum]");
  if (!card) {
    return;
  }
  const value = (place) => Number(place?.querySelector("input")?.value || 0);
  let sum = -value(card.querySelector("[data-sum-discount]"));
  for (const row of card.querySelectorAll("[data-sum-row]")) {
    sum += value(row) * Number(row.dataset.quantity);
  }
  const words = Math.abs(sum).toLocaleString("en-US", { maximumFractionDigits: 2 });
  const total = card.querySelector("[data-sum-total]");
  total.textContent = `${sum < 0 ? "−" : ""}¥${words}`;
  total.classList.toggle("text-bad", sum < 0);
});
