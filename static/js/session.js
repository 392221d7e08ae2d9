// Tabs of one browser share a log-in. The log-in page, which nobody sees who is logged in, tells the others that it has
// ended; once one has logged in, those that wait there go back to where they were.
const waiting = document.getElementById("waiting"); // on the log-in page: where to go when somebody has logged in
const login = document.querySelector("meta[name=log-in]")?.content; // where one logs in, on a page of somebody who has
const others = new BroadcastChannel("the desk's log-in");
const [IN, OUT, LOOK_AFTER] = ["in", "out", 30_000];
let seenAt = performance.now();

export const toLogIn = () => location.assign(`${login}?next=${encodeURIComponent(location.pathname + location.search)}`);

// A page that has no socket finds out when it is looked at again.
async function look() {
  if (document.hidden) return void (seenAt = performance.now());
  if (performance.now() - seenAt < LOOK_AFTER) return;
  seenAt = performance.now();
  const answer = await fetch(location.href, { method: "HEAD", redirect: "manual", signal: AbortSignal.timeout(5_000) }).catch(() => null);
  if (answer?.type === "opaqueredirect") toLogIn();
}

others.onmessage = ({ data }) => {
  if (waiting && data === IN) location.assign(waiting.dataset.next);
  if (login && data === OUT) toLogIn();
};
if (login) {
  others.postMessage(IN);
  document.addEventListener("visibilitychange", look);
} else if (waiting) others.postMessage(OUT);
