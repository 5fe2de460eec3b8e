// Charts by Chart.js, drawn from a JSON script tag: <canvas data-chart="id">. The table behind stays for those who
// want the numbers, and for whom scripts do not run. Series differ by shape and dash as well as by colour.
const SHAPES = ["circle", "rectRot", "triangle", "rect", "star"];
const DASHES = [[], [6, 3], [2, 3], [8, 3, 2, 3]];
const drawn = new Map(); // canvas → chart

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

// The names a series may have for its colour; all tell apart for the colour-blind, light and dark.
function toneOf(series) {
  const names = { goal: "ink-3", accent: "accent", bad: "bad", watch: "ca", ca: "ca", ce: "ce" };
  return colour(names[series.tone] ?? "heat");
}

function line(series, number) {
  const tone = toneOf(series);
  const goal = series.tone === "goal";
  return {
    label: series.name,
    data: series.values,
    borderColor: tone,
    backgroundColor: tone,
    borderWidth: goal ? 1.5 : 2,
    borderDash: goal ? [2, 4] : DASHES[number % DASHES.length],
    pointStyle: goal ? "line" : SHAPES[number % SHAPES.length],
    pointRadius: goal ? 0 : 4,
    stepped: goal,
    spanGaps: true,
    tension: 0,
  };
}

function bar(series, number) {
  const tone = toneOf(series);
  return {
    label: series.name,
    data: series.values,
    backgroundColor: number % 2 ? stripes(tone) : tone,
    borderColor: tone,
    borderWidth: 1,
    maxBarThickness: 28,
  };
}

// Every second series of bars is hatched.
function stripes(tone) {
  const tile = document.createElement("canvas");
  tile.width = tile.height = 8;
  const pen = tile.getContext("2d");
  pen.fillStyle = colour("surface");
  pen.fillRect(0, 0, 8, 8);
  pen.strokeStyle = tone;
  pen.lineWidth = 2.5;
  for (const shift of [-8, 0, 8]) {
    pen.moveTo(shift, 8);
    pen.lineTo(shift + 8, 0);
  }
  pen.stroke();
  return pen.createPattern(tile, "repeat");
}

function scale(unit, stacked) {
  const ticks = { color: colour("ink-2"), callback: (value) => `${value}${unit}`, precision: 0, maxTicksLimit: 6 };
  return { stacked, beginAtZero: stacked, grid: { color: colour("line") }, border: { display: false }, ticks };
}

function configOf(data) {
  const stacked = Boolean(data.stacked);
  const unit = data.unit ?? "";
  const label = (item) => `${item.dataset.label}: ${item.formattedValue}${unit}`;
  const plain = { stacked, grid: { display: false }, ticks: { color: colour("ink-2"), maxRotation: 0 } };
  const lying = data.type === "bar";
  return {
    type: data.type,
    data: { labels: data.labels, datasets: data.series.map(lying ? bar : line) },
    options: {
      animation: false,
      responsive: true,
      maintainAspectRatio: false,
      indexAxis: lying ? "y" : "x",
      interaction: { mode: "index", intersect: false, axis: lying ? "y" : "x" },
      plugins: {
        legend: { position: "bottom", labels: { color: colour("ink-2"), usePointStyle: !lying, pointStyleWidth: lying ? undefined : 16, boxWidth: 12, boxHeight: lying ? 12 : 6 } },
        tooltip: { callbacks: { label } },
      },
      scales: lying ? { x: scale(unit, stacked), y: plain } : { x: plain, y: scale(unit, stacked) },
    },
  };
}

function draw(canvas) {
  const source = document.getElementById(canvas.dataset.chart);
  if (!source || !window.Chart) {
    return;
  }
  const frame = canvas.parentElement;
  const table = frame.parentElement.querySelector("[data-chart-table]");
  if (table && frame.hidden) {
    table.open = false;
  }
  frame.hidden = false;
  drawn.get(canvas)?.destroy();
  window.Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  window.Chart.defaults.font.size = 12;
  drawn.set(canvas, new window.Chart(canvas, configOf(JSON.parse(source.textContent))));
}

function drawAll(root = document) {
  for (const canvas of root.querySelectorAll("canvas[data-chart]")) {
    draw(canvas);
  }
}

function redraw() {
  for (const canvas of [...drawn.keys()]) {
    if (canvas.isConnected) {
      draw(canvas);
    } else {
      drawn.get(canvas).destroy();
      drawn.delete(canvas);
    }
  }
}

document.addEventListener("htmx:afterSettle", () => {
  for (const canvas of document.querySelectorAll("canvas[data-chart]")) {
    if (!drawn.has(canvas)) {
      draw(canvas);
    }
  }
});
new MutationObserver(redraw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
// Paper is white whatever the screen is, and has no pointer to open a table with.
window.addEventListener("beforeprint", () => {
  document.querySelectorAll("[data-chart-table]").forEach((table) => (table.open = true));
  redraw();
});
window.addEventListener("afterprint", redraw);
drawAll();
