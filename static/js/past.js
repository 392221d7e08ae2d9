// A board of a past moment: steps to the marks beside it, the slider, and play. Each moment is a page of its own; what
// differs is brought in. Says "desk:changed".
import { keepingFocus, morph } from "./morph.js";
import { write } from "./words.js";

const EVERY = 500; // ms from one moment of play to the next, at the earliest
const bar = document.getElementById("past");
const slider = () => bar.querySelector("[type=range]");
const play = () => bar.querySelector("[data-play]");
const titles = [play().textContent, play().dataset.plays];
const steps = []; // to marks, asked for while a moment is on its way
let [wanted, isAsking, isHeld, playedAt] = [null, false, false, 0];

function at(moment) {
  const address = new URL(location);
  address.searchParams.set("as_of", new Date(Math.round(moment)).toISOString());
  return address;
}

// Of moments that are wanted while one is on its way only the last counts.
async function show(address) {
  wanted = address;
  if (isAsking) return;
  for (isAsking = true; wanted; ) {
    const asked = wanted;
    wanted = null;
    await bring(asked).catch(() => location.assign(asked));
  }
  isAsking = false;
  if (steps.length) bar.querySelector(`[data-mark=${steps.shift()}]`)?.click();
}

async function bring(address) {
  const answer = await fetch(address, { cache: "no-store", signal: AbortSignal.timeout(10_000) });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = ["past", "board"].map((id) => page.getElementById(id));
  if (!fresh.every(Boolean)) return void location.assign(address); // what is wrong with it, it says itself
  history.replaceState(null, "", address);
  keepingFocus(() => fresh.forEach((part) => morph(document.getElementById(part.id), part.outerHTML)));
  ready();
  document.dispatchEvent(new CustomEvent("desk:changed"));
}

function ready() {
  for (const one of bar.querySelectorAll("[hidden]")) one.hidden = false;
  slider().disabled = false;
  if (!isHeld) slider().value = slider().getAttribute("value");
  write(play(), titles[Number(playedAt > 0)]);
}

function step() {
  if (!playedAt) return;
  const [now, speed] = [performance.now(), Number(bar.querySelector("select").value)];
  const moment = Number(slider().value) + (now - playedAt) * speed;
  const isOver = moment >= Number(slider().max);
  playedAt = isOver ? 0 : now;
  show(at(isOver ? slider().max : moment)).then(() => setTimeout(step, EVERY));
}

bar.addEventListener("click", (event) => {
  const link = event.target.closest("a");
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  if (link) {
    event.preventDefault();
    if (isAsking && link.dataset.mark) return void steps.push(link.dataset.mark);
    const address = new URL(location), { searchParams } = new URL(link.href);
    for (const name of ["as_of", "basis"]) searchParams.has(name) ? address.searchParams.set(name, searchParams.get(name)) : address.searchParams.delete(name);
    show(address);
  } else if (event.target.closest("[data-play]")) {
    const isNew = !playedAt;
    playedAt = isNew ? performance.now() : 0;
    write(play(), titles[Number(isNew)]);
    if (isNew) step();
  }
});
bar.addEventListener("input", ({ target }) => target === slider() && ((isHeld = true), show(at(target.value))));
bar.addEventListener("change", ({ target }) => target === slider() && ((isHeld = false), show(at(target.value))));
ready();
