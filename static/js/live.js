// Keeps an open board right: takes changes from the websocket, notices when it is cut off, catches up by itself.
//
// Every message from the server is {version, now, right, today, app, trouble, parts: {element id: HTML}}. `version` is
// "12.7-1f0e8a2c": numbers that only ever grow, and a digest of the page. We say {have: version} whenever something may
// have been missed, and get what is missing. `trouble` says that the server can't look ("database", "error"), `right` when
// it last could.
import { morph } from "./morph.js";
import { word, write } from "./words.js";

const board = document.getElementById("board");
const root = document.documentElement;
const [SILENCE, OPENS_WITHIN, ANSWER_WITHIN] = [4_000, 2_000, 2_000]; // heartbeats come every 2 s
const [LONGEST_PAUSE, ANSWER_IN_ALL] = [2_000, 15_000];
const [MOST_RELOADS, LOOK_AGAIN, STEADY] = [2, 10_000, 300_000];
const [NOT_LOGGED_IN, NO_SUCH_BOARD, TOO_MANY] = [4401, 4404, 4429];
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const title = document.title;
const clock = new Intl.DateTimeFormat(word("locale"), { timeStyle: "medium", timeZone: board.dataset.zone });

let socket = null;
let [heardAt, acceptedAt] = [performance.now(), performance.now()];
let [steady, lookedAt] = [{}, -LOOK_AGAIN]; // what the socket has said of version and day; when they were last looked for
let rightAt = Date.parse(board.dataset.now); // when the figures were last known to be right, by the server's clock
let [attempts, stopped, refreshing, askedFor, retry] = [0, false, false, null, null];

// --- the board ---------------------------------------------------------------------------------------------------

const numbers = (version) => version.split("-")[0].split(".").map(Number);
const isOlder = (one, other) => numbers(one).some((number, index) => number < numbers(other)[index]);

const keyOf = (cell) => `${cell.closest("[id]").id} ${cell.dataset.field ?? cell.dataset.total}`;
const cellsIn = (parts) => parts.flatMap((part) => [...part.querySelectorAll("[data-value]")]);
const figures = (parts) => new Map(cellsIn(parts).map((cell) => [keyOf(cell), cell.dataset.value]));

function flash(cells) {
  for (const cell of cells) cell.classList.remove("flash");
  void root.offsetWidth; // starts the animations anew
  for (const cell of cells) cell.classList.add("flash");
}

// Runs `change` on these parts and flashes the cells whose figure is another one afterwards, once it has been painted.
function flashing(change, parts = [board]) {
  const before = figures(parts);
  change();
  document.title = [document.getElementById("summary").dataset.title, title].filter(Boolean).join(" · ");
  document.dispatchEvent(new CustomEvent("desk:changed"));
  if (calm.matches) return;
  const isNews = (old, cell) => old !== cell.dataset.value && (old !== undefined || cell.closest(".period"));
  const changed = cellsIn(parts).filter((cell) => isNews(before.get(keyOf(cell)), cell));
  if (changed.length) requestAnimationFrame(() => flash(changed));
}

function apply({ version, parts }) {
  const found = Object.entries(parts).map(([id, html]) => [document.getElementById(id), html]);
  if (found.some(([element]) => !element)) return void refresh(); // a period that this page has no row for
  const changing = found.map(([element]) => element);
  if (found.length) flashing(() => found.forEach(([element, html]) => morph(element, html)), changing);
  board.dataset.version = version;
}

// What this page's own address gives now. An answer that does not come, or not in time, is an error.
async function served() {
  const answer = await fetch(location.href, { cache: "no-store", signal: AbortSignal.timeout(ANSWER_IN_ALL) });
  return { answer, page: new DOMParser().parseFromString(await answer.text(), "text/html") };
}

// The whole board from its own address: when rows have to be added, or when asking did not help.
async function refresh({ evenIfOlder = false } = {}) {
  if (refreshing || stopped) return;
  refreshing = true;
  try {
    const { answer, page } = await served();
    const fresh = page.getElementById("board");
    if (fresh ? page.documentElement.lang !== root.lang : answer.redirected) return void location.reload();
    if (!fresh || (isOlder(fresh.dataset.version, board.dataset.version) && !evenIfOlder)) return;
    flashing(() => ["feed-states", "board"].forEach((id) => morph(document.getElementById(id), page.getElementById(id).outerHTML)));
    acceptedAt = performance.now();
  } catch {
    // not reachable: the socket's way back brings what is missing
  } finally {
    refreshing = false;
  }
}

// --- messages ----------------------------------------------------------------------------------------------------

function receive(message) {
  heardAt = performance.now();
  attempts = 0;
  if (differs(board, message)) reloadWhenServed(message);
  const now = Date.parse(message.now);
  document.dispatchEvent(new CustomEvent("desk:now", { detail: now }));
  if (message.trouble) return showLost(word(message.trouble));
  rightAt = Date.parse(message.right);
  showLive();
  if (isOlder(message.version, board.dataset.version)) return rejectOlder();
  acceptedAt = heardAt;
  if (message.version !== board.dataset.version && !Object.keys(message.parts).length) return askOnce(message.version);
  askedFor = null;
  apply(message);
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

// The server is ahead but sent nothing: something was missed on the way. If asking brings nothing, nothing shows.
function askOnce(version) {
  if (askedFor !== null) board.dataset.version = version;
  else say();
  askedFor = askedFor === null ? version : null;
}

// Late messages are dropped. Only if nothing else comes, the server really is behind (a restored database): believe it.
const rejectOlder = () => performance.now() - acceptedAt > 3 * SILENCE && refresh({ evenIfOlder: true });

// --- the link ----------------------------------------------------------------------------------------------------

const say = () => socket?.readyState === WebSocket.OPEN && socket.send(JSON.stringify({ have: board.dataset.version }));

function connect() {
  clearTimeout(retry);
  if (stopped || socket) return;
  heardAt = performance.now();
  const opened = (socket = new WebSocket(new URL(board.dataset.socket, location.href.replace(/^http/, "ws"))));
  opened.onopen = say;
  opened.onmessage = (event) => opened === socket && receive(JSON.parse(event.data));
  opened.onclose = (event) => opened === socket && lose(event.code);
}

function lose(code) {
  const dead = socket;
  socket = null;
  dead?.close();
  if (stopped) return; // on the way to another page
  stopped = [NOT_LOGGED_IN, NO_SUCH_BOARD, TOO_MANY].includes(code);
  if (code === NOT_LOGGED_IN) return location.assign(`${board.dataset.login}?next=${encodeURIComponent(location.pathname + location.search)}`);
  showLost(word(code === TOO_MANY ? "too many" : stopped ? "no right" : "reconnecting"));
  const pause = Math.min(LONGEST_PAUSE, 300 * 2 ** attempts++);
  if (!stopped) retry = setTimeout(connect, pause * (0.5 + Math.random() / 2));
}

// After sleep, from the background, back online: a socket may look open and be dead. Ask, and don't wait long.
function wake() {
  attempts = 0;
  if (!socket) return connect();
  const asked = performance.now();
  say();
  setTimeout(() => socket && heardAt < asked && (lose(), connect()), ANSWER_WITHIN);
}

const patience = () => (socket.readyState === WebSocket.CONNECTING ? OPENS_WITHIN : SILENCE);
const watch = () => socket && performance.now() - heardAt > patience() && lose();

const showLost = (reason) => showLink("lost", word("not live", { time: clock.format(rightAt), reason }));
const showLive = () => root.dataset.link !== "live" && showLink("live", word("live"), word("since", { time: clock.format(rightAt) }));

function showLink(state, words, since = "") {
  const link = document.getElementById("link-state");
  root.dataset.link = state;
  link.dataset.level = state === "live" ? "ok" : state;
  write(link.querySelector("span"), since);
  write(link.querySelector("small"), words);
  showAsOf();
}

// In the place of pride: as of when the figures are, if that is not now. A settled day needs no feed to be right.
function showAsOf() {
  const { stale, asOf, why } = document.getElementById("feed-states").dataset;
  const lost = root.dataset.link === "lost";
  const settled = "settled" in document.getElementById("summary").dataset;
  const [moment, reason] = lost ? [rightAt, word("page not live")] : stale && !settled ? [Date.parse(asOf), why] : [];
  const said = [moment && word("as of", { time: clock.format(moment) }), reason].filter(Boolean).join(" · ");
  write(document.getElementById("as-of"), said);
  write(document.getElementById("news"), [said, document.querySelector("#gaps b")?.textContent].filter(Boolean).join(". "));
}

document.addEventListener("desk:changed", showAsOf);
document.addEventListener("submit", (event) => (stopped ||= event.target.matches(".account form[method=post]")));
document.addEventListener("visibilitychange", () => document.hidden || wake());
document.addEventListener("desk:gate-closed", () => setTimeout(refresh, 500 + Math.random() * 1500));
document.addEventListener("animationend", (event) => event.target.classList.remove("flash"));
addEventListener("pageshow", (event) => event.persisted && ((stopped = false), wake()));
for (const event of ["online", "offline"]) addEventListener(event, wake);
showAsOf();
setInterval(watch, 500);
connect();
