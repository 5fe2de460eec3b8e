// a[data-lightbox="group"] opens its picture large; arrow keys leaf through the group.
let group = [];
let at = 0;
let box;

function build() {
  box = document.getElementById("lightbox").content.firstElementChild.cloneNode(true);
  document.body.append(box);
  box.addEventListener("click", (event) => {
    const step = event.target.closest("[data-lightbox-step]");
    if (step) {
      show(at + Number(step.dataset.lightboxStep));
    }
  });
  box.addEventListener("keydown", (event) => {
    if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
      show(at + (event.key === "ArrowLeft" ? -1 : 1));
    }
  });
}

function show(index) {
  at = (index + group.length) % group.length;
  const link = group[at];
  const image = box.querySelector("img");
  image.src = link.href;
  image.alt = link.querySelector("img")?.alt ?? "";
  const count = group.length > 1 ? `  ${at + 1} / ${group.length}` : "";
  box.querySelector("[data-lightbox-caption]").textContent = (link.dataset.caption ?? "") + count;
  for (const step of box.querySelectorAll("[data-lightbox-step]")) {
    step.hidden = group.length < 2;
  }
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-lightbox]");
  if (!link || event.ctrlKey || event.metaKey) {
    return;
  }
  event.preventDefault();
  if (!box?.isConnected) {
    build();
  }
  group = link.dataset.lightbox ? [...document.querySelectorAll(`a[data-lightbox="${CSS.escape(link.dataset.lightbox)}"]`)] : [link];
  show(group.indexOf(link));
  box.showModal();
});
