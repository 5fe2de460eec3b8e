// With the reason why a patient did not come, the side it usually lies on is chosen, until a person chooses one.
document.addEventListener("change", (event) => {
  const group = event.target.closest("[data-usual-sides]");
  if (!group) {
    return;
  }
  if (event.target.name === "absence_side") {
    group.dataset.sideSaid = "true";
  }
  if (event.target.name === "absence_reason" && group.dataset.sideSaid !== "true") {
    const side = JSON.parse(group.dataset.usualSides)[event.target.value];
    const radio = group.querySelector(`input[name="absence_side"][value="${CSS.escape(side ?? "")}"]`);
    if (radio) {
      radio.checked = true;
    }
  }
});
