// What a hand does on the page: unfolding periods without trades, choosing a day, a trader, a market, and the keys.
// Everything works without this file, less comfortably. Listens to "desk:changed", says "desk:close".
import { isShown, placeOf } from "./morph.js";

const board = document.querySelector("main");
const stored = (kept, name) => JSON.parse(kept.getItem(name) ?? "null");

// --- folds: each folded row carries data-folded; unfolded ones carry data-unfolded too, which only this file writes

// A run's rows begin with the button's own; an hour's are the shorter ones behind it.
function rowsOf(button) {
  const [own, inHour] = [button.closest("tbody"), button.closest(".period")];
  const rows = inHour ? [] : [own.querySelector(".period")];
  for (let part = own.nextElementSibling; part; part = part.nextElementSibling) {
    if (part.id === "opened") continue;
    const row = part.querySelector(".period");
    if (!row || (inHour ? row.dataset.minutes >= 60 : !row.matches("[data-folded]") || part.querySelector(".fold"))) break;
    rows.push(row);
  }
  return rows;
}

const isUnfolded = (button) => rowsOf(button).some((row) => row.hasAttribute("data-unfolded"));
function unfold(button, open) {
  for (const row of rowsOf(button)) row.toggleAttribute("data-unfolded", open);
  if (button.getAttribute("aria-expanded") !== String(open)) button.setAttribute("aria-expanded", open);
}
function labelAll() {
  if (!board.querySelector("[data-unfolded], .fold [aria-expanded=true]")) return; // as the server gives them
  for (const button of board.querySelectorAll(".fold button")) unfold(button, isUnfolded(button));
}

board.addEventListener("click", (event) => {
  const button = event.target.closest(".fold button");
  if (!button) return;
  event.preventDefault(); // the row that it is in stays closed
  unfold(button, !isUnfolded(button));
  document.dispatchEvent(new CustomEvent("desk:changed")); // their ages stood still
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

// Another reading comes without a reload: remembered there, then fetched as any news of the whole board. Of two that are
// chosen one after the other the last one counts, however the answers come.
let choosing = null;
board.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.matches(".readings") || !board.dataset.by) return; // a page that can only be loaded anew
  const chosen = (choosing = {});
  event.preventDefault();
  const focused = document.activeElement;
  document.dispatchEvent(new CustomEvent("desk:close")); // what is open may have no row in another one
  if (form.contains(focused)) focused.focus();
  const address = new URL(location); // before the answer: a row opened meanwhile has an address of its own
  address.searchParams.delete("by");
  history.replaceState(null, "", address);
  const answer = await fetch(form.action, { method: "POST", body: new FormData(form), signal: AbortSignal.timeout(10_000) }).catch(() => null);
  if (chosen !== choosing) return;
  if (!answer?.ok) return void form.submit();
  board.dataset.by = form.reading.value;
  document.dispatchEvent(new CustomEvent("desk:reading"));
});

const KEYS = {
  a: () => document.dispatchEvent(new CustomEvent("desk:assume")),
  r: nextReading,
  j: () => step(1),
  k: () => step(-1),
  t: () => click(".to-today"),
  ",": () => click("[data-mark=before], .to-past"),
  ".": () => click("[data-mark=after]"),
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
