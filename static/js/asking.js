// What asks for more by itself: one question at a time, again when news came meanwhile, when the page is seen again, and
// every half minute, whatever was lost; and minutes left, counted down.
export function asking(ask) {
  let [isAsking, isWanted] = [false, false];
  async function load() {
    isWanted = true;
    if (isAsking || document.hidden) return;
    for (isAsking = true; isWanted; await ask().catch(() => null)) isWanted = false; // not reachable: with the next news again
    isAsking = false;
  }
  document.addEventListener("visibilitychange", load);
  setInterval(load, 30_000);
  return load;
}

export const get = (address) => fetch(address, { cache: "no-store", signal: AbortSignal.timeout(10_000) });

export function countDown({ minutes, hours }, now) {
  for (const time of document.querySelectorAll("[data-left]")) {
    const left = Math.ceil((Date.parse(time.dataset.left) - now) / 60_000);
    const text = left > 120 ? hours.replace("{count}", Math.round(left / 60)) : minutes.replace("{count}", left);
    const said = left > 0 ? `, ${text}` : "";
    if (time.textContent !== said) time.textContent = said; // there may be hundreds: no layout for the same
  }
}
