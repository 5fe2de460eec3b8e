// Pictures dropped on [data-drop="#input"] go into that file input and are sent.
function place(event) {
  const area = event.target.closest?.("[data-drop]");
  return area?.dataset.drop && event.dataTransfer?.types.includes("Files") ? area : null;
}

document.addEventListener("dragover", (event) => {
  const area = place(event);
  if (area) {
    event.preventDefault();
    area.dataset.dragging = "true";
  }
});

document.addEventListener("dragleave", (event) => {
  const area = event.target.closest?.("[data-drop]");
  if (area && !area.contains(event.relatedTarget)) {
    delete area.dataset.dragging;
  }
});

document.addEventListener("drop", (event) => {
  const area = place(event);
  if (area) {
    event.preventDefault();
    delete area.dataset.dragging;
    const input = document.querySelector(area.dataset.drop);
    input.files = event.dataTransfer.files;
    input.form.requestSubmit();
  }
});
