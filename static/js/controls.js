// What a hand does on the page: unfolding periods without trades, choosing a day, a trader, a market.
// Everything works without this file, less comfortably. Listens to "desk:changed".
const board = document.getElementById("board");
const KEY = "unfolded";

// --- folds: each folded row carries data-folded; unfolded ones carry data-unfolded too, which only this file writes

function remembered() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY)) ?? [];
  } catch {
    return [];
  }
}

function remember() {
  const ids = [...board.querySelectorAll("[data-unfolded]")].map((row) => row.parentElement.id);
  try {
    sessionStorage.setItem(KEY, JSON.stringify(ids));
  } catch {
    // nothing to remember with: folded again after a reload
  }
}

function rowsOf(button) {
  const rows = [];
  let part = button.closest("tbody");
  do {
    rows.push(part.querySelector(".period"));
    part = part.nextElementSibling;
  } while (part?.querySelector("[data-folded]") && !part.querySelector(".fold"));
  return rows;
}

function label(button) {
  const open = button.closest("tbody").querySelector(".period").hasAttribute("data-unfolded");
  button.setAttribute("aria-expanded", String(open));
}

const labelAll = () => board.querySelectorAll(".fold button").forEach(label);

board.addEventListener("click", (event) => {
  const button = event.target.closest(".fold button");
  if (!button) return;
  const open = button.getAttribute("aria-expanded") !== "true";
  for (const row of rowsOf(button)) row.toggleAttribute("data-unfolded", open);
  label(button);
  remember();
});

for (const id of remembered()) document.getElementById(id)?.querySelector("[data-folded]")?.setAttribute("data-unfolded", "");
labelAll();
document.addEventListener("desk:changed", labelAll);

// --- switches: a choice made takes you there; a date typed in does so when it is complete (Enter, or leaving the field)

for (const form of document.querySelectorAll("[data-switches]")) {
  for (const select of form.querySelectorAll("select")) select.addEventListener("change", () => form.requestSubmit());
  const date = form.querySelector("[type=date]");
  if (date) followDate(form, date);
}

function followDate(form, date) {
  let typing = false;
  const go = () => date.value !== date.defaultValue && date.validity.valid && form.requestSubmit();
  date.addEventListener("keydown", () => (typing = true));
  date.addEventListener("click", () => {
    typing = false;
    date.showPicker?.();
  });
  date.addEventListener("change", () => typing || go());
  date.addEventListener("blur", go);
}
