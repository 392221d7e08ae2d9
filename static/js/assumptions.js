// Assumptions on a board: the lines under its rows, fetched apart from the rows, and the form behind the key "a". Listens to
// "desk:assumptions" (some may be others), "desk:changed", "desk:now" and "desk:assume"; without this file there is a page.
import { asking, countDown, get } from "./asking.js";
import { placeOf } from "./morph.js";
import { tells, word, write } from "./words.js";

const board = document.getElementById("board");
let [heard, offset] = [null, Date.parse(board.dataset.now) - performance.now()];
let [dialog, left, broken] = [null, { minutes: "", hours: "" }, []];

// --- the lines ---------------------------------------------------------------------------------------------------

const load = asking(async () => {
  const address = new URL(board.dataset.assumptions, location);
  address.searchParams.set("by", board.dataset.by);
  const answer = await get(address);
  if (answer.ok) show(await answer.json());
});

function show({ marks, form, words }) {
  left = words;
  if (form && !dialog?.open) bringForm(form); // as it was last filled in
  const lines = new Map();
  for (const { rows, html } of marks) {
    const row = rows.map((id) => document.getElementById(id)).find(Boolean);
    if (row) lines.set(row, (lines.get(row) ?? "") + html);
  }
  for (const place of board.querySelectorAll("tr.theories")) {
    const html = lines.get(place.parentElement) ?? "";
    if ((place.dataset.shown ?? "") === html) continue;
    Object.assign(place, { hidden: !html, innerHTML: html && `<td colspan="11">${html}</td>` }).dataset.shown = html;
    place.classList.toggle("broken", html.includes("data-broken")); // shown even where its row is folded away
  }
  const now = [...board.querySelectorAll("a[data-broken]")].map((line) => line.dataset.broken);
  const fresh = now.filter((line) => !broken.includes(line));
  if (fresh.length && tells("broken")) write(document.getElementById("aloud"), fresh.join(". "));
  broken = now;
  tick();
}

function tick() {
  countDown(left, performance.now() + offset);
  nameBroken();
}

// What is broken also stands in the page's title, where the reader has chosen so in the list of keys.
function nameBroken() {
  const title = (broken.length && tells("broken") ? "✗ " : "") + document.title.replace(/^✗ /, "");
  if (title !== document.title) document.title = title;
}

// --- the form ----------------------------------------------------------------------------------------------------

function bringForm(html) {
  dialog?.remove();
  document.body.insertAdjacentHTML("beforeend", html);
  dialog = document.getElementById("assume");
  document.documentElement.classList.add("assumes");
  const { threshold } = dialog.querySelector("form").elements;
  dialog.addEventListener("change", ({ target: { name, value } }) => {
    if (name !== "claim" || ![threshold.defaultValue, ""].includes(threshold.value)) return;
    threshold.value = threshold.dataset.of.includes(value) ? threshold.defaultValue : ""; // what was a width is no least move
  });
  dialog.addEventListener("keydown", pick);
  threshold.form.addEventListener("submit", send);
}

function pick(event) {
  const claim = { u: "up", d: "down" }[event.key];
  if (!claim || event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input:not([type=radio]), textarea")) return;
  event.preventDefault();
  for (const done of ["click", "focus"]) dialog.querySelector(`[name=claim][value=${claim}]`)[done]();
}

function ask(from = document.activeElement) {
  if (!dialog) return;
  const part = document.getElementById(from?.closest("#opened")?.dataset.of) ?? from?.closest("tbody");
  const [row, form] = [part?.querySelector(".period") ?? board.querySelector("[data-state=next]"), dialog.querySelector("form")];
  form.reset();
  form.elements.delivery_hours.value = row?.dataset.deliveryHour ?? "";
  dialog.addEventListener("close", placeOf(from), { once: true });
  dialog.showModal();
  (form.querySelector("[name=claim]:checked") ?? form.querySelector("[name=claim]")).focus();
}

async function send(event) {
  event.preventDefault();
  const asked = { method: "POST", body: new FormData(event.target), headers: { "X-Part": "assumption" }, signal: AbortSignal.timeout(10_000) };
  const answer = await fetch(event.target.action, asked).catch(() => null);
  const told = (await answer?.json().catch(() => null)) ?? {};
  if (!told.said) return void (event.target.elements.wrong.value = told.error ?? word("error"));
  write(document.getElementById("aloud"), told.said);
  dialog.close();
  load();
}

document.addEventListener("desk:assume", () => ask());
board.addEventListener("click", ({ target }) => target.closest("[data-assume]") && ask(target));
document.addEventListener("desk:assumptions", ({ detail }) => detail !== heard && ((heard = detail), load()));
document.addEventListener("desk:now", ({ detail }) => (offset = detail - performance.now()));
document.addEventListener("desk:changed", nameBroken); // which writes its title anew
document.addEventListener("desk:reading", load);
setInterval(tick, 5_000);
setTimeout(() => heard ?? load(), 3_000); // the first message is the first news
