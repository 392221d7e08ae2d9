// The history in another reading, without a reload: what its address gives takes the place of what is shown.
import { keepingFocus, morph } from "./morph.js";

const PARTS = ["#views", ".ranges", ".range", "#history"];

async function show() {
  const asked = document.getElementById("history").dataset.by;
  try {
    const answer = await fetch(location, { cache: "no-store", signal: AbortSignal.timeout(10_000) });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (page.getElementById("history")?.dataset.by !== asked) return void location.reload();
    keepingFocus(() => PARTS.forEach((part) => morph(document.querySelector(part), page.querySelector(part).outerHTML)));
  } catch {
    location.reload();
  }
}

document.addEventListener("desk:reading", show);
