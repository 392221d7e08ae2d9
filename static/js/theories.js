// The page of assumptions keeps itself right: its socket says that something may be new, and the page asks its own address.
import { asking, countDown, get } from "./asking.js";
import { keepingFocus, morph } from "./morph.js";

const main = document.getElementById("assumptions");
let rightAt = performance.now();

const load = asking(async () => {
  const answer = await get(location);
  const fresh = answer.ok && new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("assumptions");
  if (!fresh) return;
  for (const one of fresh.querySelectorAll("details[id]")) one.open = document.getElementById(one.id)?.open ?? one.open;
  keepingFocus(() => morph(main, fresh.outerHTML));
  rightAt = performance.now();
  tick();
});

function tick() {
  countDown(main.dataset, Date.now());
  document.getElementById("lost").hidden = performance.now() - rightAt < 45_000 || document.hidden;
}

function connect() {
  const socket = new WebSocket(new URL("/ws/assumptions/", location.href.replace(/^http/, "ws")));
  socket.onmessage = load;
  socket.onclose = ({ code }) => code < 4400 && setTimeout(connect, 1_000 + Math.random() * 2_000);
}

setInterval(tick, 5_000);
tick();
connect();
