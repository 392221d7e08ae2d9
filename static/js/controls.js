// What a hand does on the page: unfolding periods without trades, choosing a day, a trader, a market, and the keys.
// Everything works without this file, less comfortably. Listens to "desk:changed", says "desk:close".
import { isShown, placeOf } from "./morph.js";

const board = document.getElementById("board");
const stored = (kept, name) => JSON.parse(kept.getItem(name) ?? "null");

// --- folds: each folded row carries data-folded; unfolded ones carry data-unfolded too, which only this file writes

function rowsOf(button) {
  const rows = [];
  let part = button.closest("tbody");
  do {
    if (part.id !== "opened") rows.push(part.querySelector(".period"));
    part = part.nextElementSibling;
  } while (part?.id === "opened" || (part?.querySelector("[data-folded]") && !part.querySelector(".fold")));
  return rows;
}

const isUnfolded = (button) => button.closest("tbody").querySelector(".period").hasAttribute("data-unfolded");
const labelAll = () => board.querySelectorAll(".fold button").forEach((one) => one.setAttribute("aria-expanded", isUnfolded(one)));

board.addEventListener("click", (event) => {
  const button = event.target.closest(".fold button");
  if (!button) return;
  const open = !isUnfolded(button);
  for (const row of rowsOf(button)) row.toggleAttribute("data-unfolded", open);
  labelAll();
  const ids = [...board.querySelectorAll("[data-unfolded]")].map((row) => row.parentElement.id);
  sessionStorage.setItem("unfolded", JSON.stringify(ids));
});
for (const id of stored(sessionStorage, "unfolded") ?? []) {
  document.getElementById(id)?.querySelector("[data-folded]")?.setAttribute("data-unfolded", "");
}
labelAll();
document.addEventListener("desk:changed", labelAll);

// --- switches: a choice made takes you there; a date typed in does so when it is complete (Enter, or leaving the field)

function followDate(form, date) {
  let typing = false;
  const go = () => date.value !== date.defaultValue && date.validity.valid && form.requestSubmit();
  date.addEventListener("keydown", () => (typing = true));
  date.addEventListener("click", () => ((typing = false), date.showPicker?.()));
  date.addEventListener("change", () => typing || go());
  date.addEventListener("blur", go);
}

for (const form of document.querySelectorAll("[data-switches]")) {
  for (const select of form.querySelectorAll("select")) select.addEventListener("change", () => form.requestSubmit());
  for (const date of form.querySelectorAll("[type=date]")) followDate(form, date);
}

// --- keys: one letter each, shown by "?", and switched off there for those whom they get in the way

const help = document.getElementById("help");
const click = (selector) => document.querySelector(selector)?.click();

// While the list is open the row that had the focus may fold away.
function openHelp() {
  help?.addEventListener("close", placeOf(), { once: true });
  help?.showModal();
}

function step(by) {
  const rows = [...board.querySelectorAll(".period th a")].filter(isShown);
  const now = rows.indexOf(document.activeElement);
  const first = rows.findIndex((one) => one.closest("[data-state=next]"));
  rows.at(now < 0 ? first : Math.min(Math.max(now + by, 0), rows.length - 1))?.focus();
}

function nextReading() {
  const select = board.querySelector("[name=reading]");
  if (!select) return;
  select.selectedIndex = (select.selectedIndex + 1) % select.length;
  select.form.requestSubmit();
}

// Another reading comes without a reload: remembered there, then fetched as any news of the whole board.
board.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.matches(".readings") || document.getElementById("opened")) return; // a period is opened by product
  event.preventDefault();
  const answer = await fetch(form.action, { method: "POST", body: new FormData(form), signal: AbortSignal.timeout(10_000) }).catch(() => null);
  if (!answer?.ok) return void form.submit();
  const address = new URL(location);
  address.searchParams.delete("by");
  history.replaceState(null, "", address);
  board.dataset.by = form.reading.value;
  document.dispatchEvent(new CustomEvent("desk:reading"));
});

const KEYS = {
  a: () => document.dispatchEvent(new CustomEvent("desk:assume")),
  r: nextReading,
  j: () => step(1),
  k: () => step(-1),
  t: () => click(".to-today"),
  "[": () => click("[rel=prev]"),
  "]": () => click("[rel=next]"),
  "/": () => document.querySelector("[name=trader], #traders a")?.focus(),
  "?": openHelp,
  Escape: () => document.dispatchEvent(new CustomEvent("desk:close")),
};

addEventListener("keydown", (event) => {
  const { key, ctrlKey, metaKey, altKey, target } = event;
  if (ctrlKey || metaKey || altKey || target.closest("input, select, textarea, dialog") || !Object.hasOwn(KEYS, key)) return;
  if (key.length === 1 && key !== "?" && stored(localStorage, "no keys")) return;
  event.preventDefault();
  KEYS[key]();
});

if (help) {
  const [opener, switched] = [document.getElementById("help-opens"), help.querySelector("[type=checkbox]")];
  opener.hidden = false;
  opener.addEventListener("click", KEYS["?"]);
  switched.checked = !stored(localStorage, "no keys");
  switched.addEventListener("change", () => localStorage.setItem("no keys", JSON.stringify(!switched.checked)));
}
