// Keeps an open board right: takes in what the server says (link.js), and gets what is missing.
//
// Every message from the server is {version, now, right, today, app, trouble, parts: {element id: HTML}}. `version` is
// "12.7-1f0e8a2c": numbers that only ever grow, and a digest of the page. We say {have: version} whenever something may
// have been missed, and get what is missing. `trouble` says that the server can't look ("database", "error"), `right` when
// it last could.
import { again, open, say, stop } from "./link.js";
import { keepingFocus, morph } from "./morph.js";

const board = document.getElementById("board");
const root = document.documentElement;
const [MOST_RELOADS, LOOK_AGAIN, STEADY] = [2, 10_000, 300_000];
const [BEHIND_FOR, DEADLINE, AGAIN_AFTER, AT_ONCE] = [12_000, 12_000, 2_000, 6];
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const title = document.title;

let acceptedAt = performance.now();
let [steady, lookedAt] = [{}, -LOOK_AGAIN]; // what the server has said of version and day; when they were last looked for
let [refreshing, refreshedAt] = [0, -AGAIN_AFTER];
let later = null; // {version, since, parts}: what a tab that nobody sees has not brought in yet
const have = () => later?.version ?? board.dataset.version;

// --- the board ---------------------------------------------------------------------------------------------------

const numbers = (version) => version.split("-")[0].split(".").map(Number);
const isOlder = (one, other) => numbers(one).some((number, index) => number < numbers(other)[index]);

const keyOf = (cell) => `${cell.closest("[id]").id} ${cell.dataset.field ?? cell.dataset.total}`;
const cellsIn = (parts) => parts.flatMap((part) => [...part.querySelectorAll("[data-value]")]);
const figures = (parts) => new Map(cellsIn(parts).map((cell) => [keyOf(cell), cell.dataset.value]));

function flash(cells) {
  if (!cells.length) return;
  for (const cell of cells) cell.classList.remove("flash");
  void root.offsetWidth; // starts the animations anew
  for (const cell of cells) cell.classList.add("flash");
}

const titleWith = (said) => (document.title = [said, title].filter(Boolean).join(" · "));

// Runs `change` on these parts, or on the page. What goes with the figures comes with the frame that shows them: the title,
// "desk:changed" with the parts, and flashes of the cells whose figure is another one. A tab that nobody sees has no frames.
function flashing(change, changing) {
  const parts = changing ?? [board];
  const before = calm.matches || document.hidden ? null : figures(parts);
  keepingFocus(change);
  due.push(() => {
    titleWith(document.getElementById("summary").dataset.title);
    document.dispatchEvent(new CustomEvent("desk:changed", { detail: changing }));
    if (before) flash(cellsIn(parts).filter((cell) => isNews(before.get(keyOf(cell)), cell)));
  });
  document.hidden ? settle() : requestAnimationFrame(settle);
}

const due = [];
const settle = () => due.splice(0).forEach((one) => one());
const isNews = (old, cell) => old !== cell.dataset.value && (old !== undefined || cell.closest(".period"));

function apply({ version, since, parts }) {
  const found = Object.entries(parts).map(([id, html]) => [document.getElementById(id), html]);
  const isLeftOver = ({ id }) => !(id in parts);
  // A period that this page has no row for, or a row that the board has no more.
  if (found.some(([element]) => !element) || (!since && [...board.querySelectorAll("[id^=p-]")].some(isLeftOver))) return void refresh();
  const changing = found.map(([element]) => element);
  if (found.length) flashing(() => found.forEach(([element, html]) => morph(element, html)), changing);
  board.dataset.version = version;
}

// What this page's own address gives now. An answer that does not come, or not in time, is an error.
async function served() {
  const address = new URL(location);
  address.searchParams.set("by", board.dataset.by); // another tab may have chosen another one
  const answer = await fetch(address, { cache: "no-store", signal: AbortSignal.timeout(DEADLINE) });
  return { answer, page: new DOMParser().parseFromString(await answer.text(), "text/html") };
}

// The whole board from its own address: when rows have to be added, or when asking did not help.
async function refresh({ evenIfOlder = false, atOnce = false } = {}) {
  if (!atOnce && (refreshing >= AT_ONCE || (refreshing && performance.now() < refreshedAt + AGAIN_AFTER))) return; // one may hang
  [refreshing, refreshedAt] = [refreshing + 1, performance.now()];
  try {
    const { answer, page } = await served();
    const fresh = page.getElementById("board");
    if (fresh ? page.documentElement.lang !== root.lang : answer.redirected) return void location.reload();
    if (fresh && (fresh.dataset.by ?? "product") !== board.dataset.by) return; // another reading has been chosen meanwhile
    if (!fresh || (isOlder(fresh.dataset.version, board.dataset.version) && !evenIfOlder)) return;
    const parts = ["feed-states", "views", "board"].map((id) => [document, page].map((one) => one.getElementById(id)));
    flashing(() => parts.forEach(([shown, given]) => shown && given && morph(shown, given.outerHTML))); // a page may have no views
    acceptedAt = performance.now();
  } catch {
    // not reachable: with the next message it is tried again
  } finally {
    refreshing -= 1;
  }
}

// --- messages ----------------------------------------------------------------------------------------------------

function receive(message) {
  if (differs(board, message)) reloadWhenServed(message);
  if (message.assumptions) document.dispatchEvent(new CustomEvent("desk:assumptions", { detail: message.assumptions }));
  if (message.trouble) return;
  if (isOlder(message.version, have())) return rejectOlder();
  acceptedAt = performance.now();
  if (message.since && message.since !== have()) return say(); // something before it was missed
  if (!Object.keys(message.parts).length) return message.version !== have() && say();
  if (document.hidden || later) keepForLater(message);
  else apply(message);
  bringIn();
}

// A new product version, or a new day on a page that follows today. During an update old and new servers answer in any
// order: the page is loaded again once its own address gives what the socket says, twice at most for these two, and
// again only when the socket has said nothing else for a while.
const differs = ({ dataset }, { app, today }) => app !== dataset.app || ("followsToday" in dataset && today !== dataset.today);

async function reloadWhenServed({ app, today }) {
  const said = `${app} ${today}`;
  if (said !== steady.said) steady = { said, since: performance.now() };
  const key = `reloads ${[app, board.dataset.app].sort()} ${today}`;
  const isOver = Number(sessionStorage.getItem(key)) >= MOST_RELOADS && performance.now() - steady.since < STEADY;
  if (isOver || performance.now() < lookedAt + LOOK_AGAIN) return;
  lookedAt = performance.now();
  const fresh = (await served().catch(() => null))?.page.getElementById("board");
  if (!fresh || differs(fresh, { app, today })) return;
  sessionStorage.setItem(key, Number(sessionStorage.getItem(key)) + 1);
  location.reload();
}

// Late messages are dropped. Only if nothing else comes, the server really is behind (a restored database): believe it.
const rejectOlder = () => performance.now() - acceptedAt > BEHIND_FOR && refresh({ evenIfOlder: true });

// --- a tab that nobody sees --------------------------------------------------------------------------------------

// It keeps the newest of each part, and brings them in when it is seen again; only its title goes on.
function keepForLater({ version, since, parts }) {
  later = { version, since: since && (later?.since ?? since), parts: since ? { ...later?.parts, ...parts } : parts };
  const [, said] = parts.summary?.match(/ data-title="([^"]*)"/) ?? [];
  if (said !== undefined) titleWith(said);
}

function bringIn() {
  if (document.hidden || !later) return;
  const kept = later;
  later = null;
  apply(kept);
}

document.addEventListener("visibilitychange", () => (settle(), bringIn()));
document.addEventListener("desk:reading", async () => (await refresh({ evenIfOlder: true, atOnce: true }), again()));
document.addEventListener("submit", (event) => event.target.matches(".account form[method=post]") && stop());
document.addEventListener("desk:gate-closed", () => setTimeout(refresh, 500 + Math.random() * 1500));
document.addEventListener("animationend", (event) => event.target.classList.remove("flash"));
open({ receive, have });
