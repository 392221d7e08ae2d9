// What changes with time alone, once a second and by the server's clock: countdowns to gate closures and publications,
// ages, local time. Announces "desk:gate-closed" with the rows. Listens to "desk:now" (the server's time) and "desk:changed"
// (with the parts that have changed, if they are known).
import { word, write } from "./words.js";

const board = document.getElementById("board");
const [COUNT_FROM, PHASES_FROM] = [6 * 3600, 5400]; // further away, the time of day says more than a countdown
const [DUE_SOON, LATE_AFTER, STALE_AFTER] = [-60, 30, 90]; // seconds from a reference's expected publication on
const zoned = (shape) => new Intl.DateTimeFormat(word("locale"), { ...shape, hourCycle: "h23", timeZone: board.dataset.zone });
const day = zoned({ day: "numeric", month: "short" });
const minutes = zoned({ hour: "2-digit", minute: "2-digit" });
const seconds = zoned({ hour: "2-digit", minute: "2-digit", second: "2-digit" });
let offset = Date.parse(board.dataset.now) - performance.now(); // a timer: a computer's clock may be moved
const time = () => ("past" in board.dataset ? Date.parse(board.dataset.now) : performance.now() + offset); // a past moment stands still
let timer;

const two = (amount) => String(amount).padStart(2, "0");
const minutesAndSeconds = (passed) => `${Math.floor(passed / 60)}:${two(passed % 60)}`;

// A product's gates close phase by phase: which one is next, "borders in 12 min", and then "area" by itself.
function tickGates(note, now) {
  if (!note) return;
  const open = note.dataset.gates.split(" ").map((one) => one.split("=")).filter(([at]) => Date.parse(at) > now);
  const later = open[0][0] !== open.at(-1)[0];
  const [at, phase] = later ? open[0] : open.at(-1);
  const left = (Date.parse(at) - now) / 1000;
  write(note, !later ? phase : left > PHASES_FROM ? "" : `${phase} ${word("in", { time: length(left, 60) })}`);
}

function tickRow(row, now) {
  const left = Math.ceil((Date.parse(row.dataset.gateCloses) - now) / 1000);
  const cell = row.querySelector(".gate time");
  const countdown = `${Math.floor(left / 3600)}:${two(Math.floor(left / 60) % 60)}:${two(left % 60)}`;
  if (left <= 0) row.dataset.state = "closed";
  if (left <= COUNT_FROM) write(cell, left <= 0 ? word("closed") : countdown);
  if (left > 0) tickGates(row.querySelector("[data-gates]"), now);
  return left <= 0;
}

function length(passed, inSeconds) {
  if (passed < inSeconds) return word("seconds", { count: Math.floor(passed) });
  if (passed < 6000) return word("minutes", { count: Math.floor(passed / 60) });
  return word("hours", { count: Math.floor(passed / 3600) });
}

// A reference's age, and where it is between two publications: fresh, due, late, stale, final.
function referenceState({ due, final }, updated, now) {
  if (now >= Date.parse(final)) return ["final", word("final")];
  const over = Math.floor((now - Date.parse(due)) / 1000);
  const passed = Math.max(0, Math.floor((now - updated) / 1000));
  if (over < DUE_SOON) return ["fresh", length(passed, 60)];
  if (over < 0) return ["due", word("in", { time: `0:${two(Math.min(59, -over))}` })];
  if (over < LATE_AFTER) return ["due", word("due")];
  if (over < STALE_AFTER) return ["late", word("late", { time: minutesAndSeconds(over) })];
  return ["stale", length(passed, 0)];
}

function tickReference(note, now) {
  const time = note.querySelector("time");
  const [state, text] = referenceState(note.dataset, Date.parse(time.dateTime), now);
  if (note.dataset.referenceState !== state) note.dataset.referenceState = state;
  write(time, text);
}

const SHOWS = {
  seconds: (moment) => seconds.format(moment),
  day: (moment, now) => (day.format(moment) === day.format(now) ? "" : `${day.format(moment)}, `) + seconds.format(moment),
  age(moment, now) {
    const passed = Math.max(0, Math.floor((now - moment) / 1000));
    if (passed >= 3600) return seconds.format(moment);
    return passed < 60 ? word("seconds ago", { count: passed }) : word("minutes ago", { count: Math.floor(passed / 60) });
  },
  countdown(moment, now) {
    const left = Math.ceil((moment - now) / 1000);
    return `${minutes.format(moment)}, ${left > 0 ? word("in", { time: minutesAndSeconds(left) }) : word("due")}`;
  },
};

// The whole page, or the parts that the server has just written anew.
function tick(parts = [document.documentElement]) {
  const now = time();
  const all = (selector) => parts.flatMap((part) => [...(part.matches(selector) ? [part] : []), ...part.querySelectorAll(selector)]);
  const closed = all(".period:not([data-state=closed])").filter((row) => tickRow(row, now));
  for (const one of all("[data-shows]")) write(one, SHOWS[one.dataset.shows](Date.parse(one.dateTime), now));
  for (const note of all(".period:is(:not([data-folded]), [data-unfolded]) [data-due]")) tickReference(note, now);
  write(document.getElementById("local-time"), seconds.format(now));
  if (closed.length) document.dispatchEvent(new CustomEvent("desk:gate-closed", { detail: closed }));
}

function run() {
  tick();
  clearTimeout(timer);
  timer = setTimeout(run, 1000 - ((performance.now() + offset) % 1000));
}

document.addEventListener("desk:now", (event) => (offset = event.detail - performance.now()));
document.addEventListener("desk:changed", ({ detail }) => tick(detail ?? undefined));
document.addEventListener("visibilitychange", run);
run();
