// Questions that wait for an earlier answer, "none of these", and answers that somebody else gives meanwhile.
import { isTyping } from "./words.js";

const PREFIX = "q_";

function picked(form, name) {
  const fields = [...form.querySelectorAll(`[name="${CSS.escape(name)}"]`)];
  return fields.filter((field) => (field.type === "radio" || field.type === "checkbox" ? field.checked : field.value)).map((field) => field.value);
}

// [data-if="name"][data-if-in="a b"] is shown while the field `name` has one of the values.
function showWhatApplies(root) {
  for (const element of root.querySelectorAll("[data-if]")) {
    const form = element.closest("form");
    const wanted = element.dataset.ifIn.split(" ");
    element.hidden = !picked(form, element.dataset.if).some((value) => wanted.includes(value));
  }
}

function leaveNoneAlone(field) {
  const others = [...field.form.querySelectorAll(`[name="${CSS.escape(field.name)}"]`)].filter((other) => other !== field);
  for (const other of others) {
    if (field.checked && (field.value === "none" || other.value === "none")) {
      other.checked = false;
    }
  }
}

// One answer as a comparable text, from the page or from the server.
function asText(value) {
  if (value === null || value === undefined || value === "") {
    return "";
  }
  if (Array.isArray(value)) {
    return [...value].sort().join("\n");
  }
  if (typeof value === "object") {
    return `${value.value}\n${value.value === "yes" ? (value.detail ?? "") : ""}`;
  }
  return String(value);
}

function onPage(form, code, type) {
  const values = picked(form, PREFIX + code);
  if (type === "multi") {
    return asText(values);
  }
  const detail = form.elements[`${PREFIX}${code}_detail`]?.value.trim();
  return asText(type === "yes_no" && values.length ? { value: values[0], detail } : (values[0]?.trim() ?? ""));
}

function write(form, code, value) {
  const plain = value && typeof value === "object" && !Array.isArray(value) ? value.value : value;
  const wanted = (Array.isArray(plain) ? plain : [plain ?? ""]).map(String);
  for (const field of form.querySelectorAll(`[name="${CSS.escape(PREFIX + code)}"]`)) {
    if (field.type === "radio" || field.type === "checkbox") {
      field.checked = wanted.includes(field.value);
    } else {
      field.value = wanted[0];
    }
  }
  const detail = form.elements[`${PREFIX}${code}_detail`];
  if (detail) {
    detail.value = value?.detail ?? "";
  }
}

// What the patient answered meanwhile goes into the fields the coordinator has not touched.
function takeOver(form, live) {
  const seen = JSON.parse(form.elements.version.value || "{}");
  for (const element of form.querySelectorAll("[data-question]")) {
    const { question: code, type } = element.dataset;
    const untouched = onPage(form, code, type) === asText(seen[code]);
    const focused = element.contains(document.activeElement) && isTyping(document.activeElement);
    if (asText(live[code]) !== asText(seen[code]) && untouched && !focused) {
      write(form, code, live[code]);
      if (live[code] === undefined) {
        delete seen[code];
      } else {
        seen[code] = live[code];
      }
    }
  }
  form.elements.version.value = JSON.stringify(seen);
}

document.addEventListener("change", (event) => {
  const field = event.target;
  if (field.closest?.("[data-question]")) {
    if (field.type === "checkbox") {
      leaveNoneAlone(field);
    }
    showWhatApplies(field.form);
  }
});

document.addEventListener("htmx:afterSettle", () => {
  const live = document.getElementById("live-answers");
  const form = document.getElementById("answers");
  if (live && form) {
    takeOver(form, JSON.parse(live.textContent));
  }
  showWhatApplies(document);
});

showWhatApplies(document);
