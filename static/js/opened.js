// A row opened in place: its panel comes ready from the row's own address, which is then this page's, so that it can be
// shared and reloaded. Listens to "desk:changed" and fetches the panel again when its row's figures are others.
import { keepingFocus, morph } from "./morph.js";

const board = document.getElementById("board");
const panel = () => document.getElementById("opened");
const links = () => [...board.querySelectorAll(".period th a")];
const rowOf = (opened) => document.getElementById(opened.dataset.of).querySelector(".period");
const nameOf = ({ pathname, searchParams }) => `${pathname} ${searchParams.get("by") ?? "product"}`; // the row, in its reading
const linkTo = (address) => links().find((one) => nameOf(new URL(one)) === nameOf(new URL(address, location)));
let home = panel()?.dataset.close ?? location.href; // where closing leads
// The row's figures that the panel was fetched for; the one question whose answer is still wanted.
let seen = panel()?.dataset.revision, loading = null, chart = null;

const say = (link, open) => link.getAttribute("aria-expanded") !== String(open) && link.setAttribute("aria-expanded", open);
function mark() {
  const row = panel() && rowOf(panel());
  for (const link of links()) say(link, row === link.closest(".period"));
}

async function drawChart(place = document.getElementById("chart")) {
  if (!place) return;
  chart = await import(place.dataset.draws);
  await chart.draw(place);
}

// The panel of the row at `address`, behind its row. Whatever can't be shown here is shown as a page of its own.
async function load(address) {
  const asked = (loading = {});
  const row = linkTo(address)?.closest(".period");
  const revision = row?.dataset.revision;
  try {
    const answer = await fetch(address, { headers: { "X-Part": "opened" }, cache: "no-store", signal: AbortSignal.timeout(10_000) });
    if (loading === asked && (!row || !answer.ok || answer.redirected)) return void location.assign(address);
    const html = await answer.text();
    if (loading !== asked || !row.isConnected) return; // closed, or another row opened meanwhile
    seen = revision;
    const isOpened = panel() && rowOf(panel()) === row;
    keepingFocus(() => {
      if (!isOpened) clearAway();
      if (panel()) morph(panel(), html);
      else row.parentElement.insertAdjacentHTML("afterend", html);
    });
    mark();
    if (!isOpened) reveal();
    await drawChart();
  } catch {
    return void (seen = null); // not reachable: fetched again with the next news
  } finally {
    if (loading === asked) loading = null;
  }
  keepUp(); // what came meanwhile
}

// Both come into view as far as they fit, the row before its panel; where they are seen already nothing moves.
const reveal = () => panel() && [panel(), rowOf(panel())].forEach((part) => part.scrollIntoView({ block: "nearest" }));

function clearAway() {
  chart?.clear();
  panel()?.remove();
}

const remove = () => ((loading = null), keepingFocus(clearAway));

function close() {
  if (!panel()) return;
  const [link, back] = [rowOf(panel()).querySelector("th a"), panel().dataset.close];
  remove();
  link.focus();
  mark();
  history.pushState(null, "", "past" in board.dataset ? back : home); // its moment may be another one by now
}

function follow(event) {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  const [link, row] = [event.target.closest("a"), event.target.closest(".period")];
  if (link?.matches("[data-closes]") || (row && panel() && rowOf(panel()) === row)) close();
  else if (link?.matches("[data-panel]") || (row?.querySelector("th a") && !getSelection().toString())) {
    const { href } = row ? row.querySelector("th a") : link;
    if (row && !panel()) home = location.href;
    history[row ? "pushState" : "replaceState"](null, "", href);
    load(href);
  } else return;
  event.preventDefault();
}

// What a form of the panel asks is part of its address, as a section is.
function ask(event) {
  if (!event.target.matches("#opened [data-panel]")) return;
  event.preventDefault();
  const address = new URL(event.target.action);
  address.search = new URLSearchParams(new FormData(event.target));
  history.replaceState(null, "", address);
  load(address.href);
}

function keepUp() {
  mark();
  if (panel() && !loading && rowOf(panel()).dataset.revision !== seen) load(location.href);
}

board.addEventListener("click", follow);
board.addEventListener("submit", ask);
addEventListener("popstate", () => (linkTo(location) ? load(location.href) : (remove(), mark())));
document.addEventListener("desk:close", close);
document.addEventListener("desk:changed", keepUp);
mark();
reveal();
drawChart();
