// How an open board hears of its news: by a websocket, and while there is none by plain requests, every few seconds. Says
// in the header which of the two it is, and since when neither works. The page is told with open({receive, have}).
import { toLogIn } from "./session.js";
import { tells, word, write } from "./words.js";

const board = document.getElementById("board");
const root = document.documentElement;
const [SILENCE, ANSWER_WITHIN, OPENS_WITHIN, LONGEST_OPENING] = [4_000, 2_000, 3_000, 30_000]; // heartbeats come every 2 s
const [LONGEST_PAUSE, ASK_EVERY, ASK_AFTER, ASK_AGAIN, DEADLINE, AT_ONCE] = [2_000, 5_000, 1_500, 1_000, 12_000, 4];
const [NOT_LOGGED_IN, NO_SUCH_BOARD, TOO_MANY] = [4401, 4404, 4429];
const clock = new Intl.DateTimeFormat(word("locale"), { timeStyle: "medium", timeZone: board.dataset.zone });
const address = () => board.dataset.socket;

let page; // {receive(message), have()}: whose news they are
let [socket, retry, attempts, ended] = [null, null, 0, false];
let [beganAt, heardAt] = [0, 0]; // when this socket was tried, and last said something
let opening = LONGEST_OPENING; // how long the last one took to open: until one has, it is waited for
let [asking, askAt, answeredAt, isBack] = [0, performance.now() + ASK_AFTER, 0, false];
let rightAt = Date.parse(board.dataset.now); // when the figures were last known to be right, by the server's clock

const isOpen = () => socket?.readyState === WebSocket.OPEN;
const isLive = () => isOpen() && root.dataset.link === "live";
export const say = () => isOpen() && socket.send(JSON.stringify({ have: page.have() }));
export const stop = () => (ended = true);
const go = () => ((ended = false), wake());

// --- the websocket -----------------------------------------------------------------------------------------------

function connect() {
  clearTimeout(retry);
  if (ended || socket) return;
  beganAt = performance.now();
  try {
    socket = new WebSocket(new URL(address(), location.href.replace(/^http/, "ws")));
  } catch {
    return lose(); // Firefox throws where a policy or an extension allows none
  }
  const opened = socket;
  opened.onopen = () => {
    heardAt = performance.now();
    opening = heardAt - beganAt;
    say();
  };
  opened.onmessage = (event) => opened === socket && hear(JSON.parse(event.data));
  opened.onclose = (event) => opened === socket && lose(event.code);
}

function hear(message) {
  [heardAt, attempts] = [performance.now(), 0];
  take(message, "live");
}

function drop() {
  const dead = socket;
  socket = null;
  dead?.close();
}

export const again = () => (drop(), connect());

function lose(code) {
  drop();
  if (ended) return; // on the way to another page
  ended = [NOT_LOGGED_IN, NO_SUCH_BOARD, TOO_MANY].includes(code);
  if (code === NOT_LOGGED_IN) return toLogIn();
  if (root.dataset.link === "live") askAt = performance.now() + ASK_AFTER;
  if (ended || root.dataset.link === "live") showLost(word(code === TOO_MANY ? "too many" : ended ? "no right" : "reconnecting"));
  const pause = Math.min(LONGEST_PAUSE, 300 * 2 ** attempts++);
  if (!ended) retry = setTimeout(connect, pause * (0.5 + Math.random() / 2));
}

// After sleep, from the background, back online: a socket may look open and be dead. Ask, and don't wait long.
function wake() {
  [attempts, askAt] = [0, 0];
  if (!socket) return connect();
  const asked = performance.now();
  say();
  if (isOpen()) setTimeout(() => isOpen() && heardAt < asked && (lose(), connect()), ANSWER_WITHIN);
}

// --- plain requests ----------------------------------------------------------------------------------------------

// The same message, from the board's own address: what is new since the version that the page shows. One that hangs keeps
// no other from being sent.
async function ask() {
  const sentAt = performance.now();
  [asking, askAt] = [asking + 1, sentAt + ASK_EVERY];
  try {
    const headers = { "X-Part": "news", "X-Have": page.have() };
    const answer = await fetch(address().replace(/^\/ws/, ""), { headers, cache: "no-store", signal: AbortSignal.timeout(DEADLINE) });
    if (isLive() || ended) return;
    if (answer.redirected) return void toLogIn();
    if (answer.status === 404) return void (stop(), showLost(word("no right")));
    const message = await answer.json();
    if (isLive() || ended) return; // the socket was quicker
    answeredAt = performance.now();
    take(message, "asked");
    if (isBack) again(); // the way is free again: what was tried before may wait for ever
    isBack = false;
  } catch {
    [isBack, askAt] = [true, Math.min(askAt, performance.now() + ASK_AGAIN)];
    if (!isLive() && answeredAt < sentAt) showLost(word("reconnecting"));
  } finally {
    asking -= 1;
  }
}

// A network may be slow to open a socket, or have swallowed it: longer with each try.
const patience = () => Math.min(LONGEST_OPENING, Math.max(2 * opening, OPENS_WITHIN * 2 ** (attempts - 1)));

function watch() {
  const now = performance.now();
  if (socket && (isOpen() ? now - heardAt > SILENCE : now - beganAt > patience())) lose();
  if (root.dataset.link === "asked" && now - answeredAt > 2 * ASK_EVERY) showLost(word("reconnecting"));
  if (!ended && asking < AT_ONCE && !isLive() && now > askAt) ask();
}

// --- what is said of it ------------------------------------------------------------------------------------------

function take(message, how) {
  if (message.alerts) return void import("./alerts.js").then(({ load }) => load());
  document.dispatchEvent(new CustomEvent("desk:now", { detail: Date.parse(message.now) }));
  if (message.trouble) showLost(word(message.trouble));
  else {
    rightAt = Date.parse(message.right);
    if (how === "asked") showLink("asked", word("asked", { count: ASK_EVERY / 1000 }), word("no live connection"));
    else if (root.dataset.link !== "live") showLink("live", word("live"), word("since", { time: clock.format(rightAt) }));
  }
  page.receive(message);
}

const showLost = (reason) => showLink("lost", word("not live", { time: clock.format(rightAt), reason }));
const LEVELS = { live: "ok", asked: "late", lost: "lost" };

function showLink(state, words, since = "") {
  const link = document.getElementById("link-state");
  root.dataset.link = state;
  link.dataset.level = LEVELS[state];
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
  const alarms = tells("alarms") ? [said, document.querySelector("#gaps b")?.textContent] : [];
  write(document.getElementById("news"), alarms.filter(Boolean).join(". "));
}

document.addEventListener("desk:changed", showAsOf);
document.addEventListener("visibilitychange", () => document.hidden || wake());
for (const event of ["online", "offline"]) addEventListener(event, wake);
addEventListener("pageshow", (event) => event.persisted && go());

export function open(whose) {
  page = whose;
  showAsOf();
  setInterval(watch, 500);
  connect();
}
