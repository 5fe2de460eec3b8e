// time[data-elapsed]: whole minutes since then, kept current; over data-limit it is marked.
function tick() {
  const now = Date.now();
  for (const time of document.querySelectorAll("time[data-elapsed]")) {
    const minutes = Math.max(0, Math.floor((now - Date.parse(time.dateTime)) / 60000));
    const limit = Number(time.dataset.limit);
    time.querySelector("span").textContent = time.dataset.unit.replace("{n}", minutes);
    time.classList.toggle("elapsed-late", limit > 0 && minutes > limit);
  }
}

setInterval(tick, 15000);
document.addEventListener("visibilitychange", tick);
