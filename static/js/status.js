// The status page is brought up to date every few seconds, by itself; it says since when it could not be.
import { keepingFocus, morph } from "./morph.js";

const [EVERY, DEADLINE] = [5_000, 10_000];
const shown = document.getElementById("status");
let asking = false;

async function look() {
  if (document.hidden || asking) return;
  asking = true;
  try {
    const answer = await fetch(location.href, { cache: "no-store", signal: AbortSignal.timeout(DEADLINE) });
    if (answer.redirected) return void location.reload();
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("status");
    if (fresh) keepingFocus(() => morph(shown, fresh.outerHTML));
    shown.toggleAttribute("data-lost", !fresh);
  } catch {
    shown.toggleAttribute("data-lost", true);
  } finally {
    asking = false;
  }
}

setInterval(look, EVERY);
document.addEventListener("visibilitychange", look);
