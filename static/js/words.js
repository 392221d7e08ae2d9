// The page's words in its language, as the server gave them (dashboard/render/client_messages.py); {name} is filled in from `values`.
const words = JSON.parse(document.getElementById("words").textContent);

export const write = (element, text) => element && element.textContent !== text && (element.textContent = text); // only a change is read out
export const word = (name, values = {}) => words[name].replace(/\{(\w+)\}/g, (_, key) => values[key]);

// --- what screen readers are told: no more than the reader has chosen in the list of keys. What is wrong ("alarms"), each
// gate that closes, the day's result once a minute at most. Listens to "desk:changed" and "desk:gate-closed".

const AT_MOST_EVERY = 60_000;
const chosen = { alarms: true, gates: false, result: false, broken: false };
const result = () => document.getElementById("summary").dataset.title;
const say = (text) => write(document.getElementById("aloud"), text);

function kept() {
  try {
    return JSON.parse(localStorage.getItem("aloud"));
  } catch {
    return null; // storage may be forbidden
  }
}

const boxes = document.querySelectorAll("[data-aloud]");
function read() {
  Object.assign(chosen, kept());
  for (const box of boxes) box.checked = chosen[box.dataset.aloud];
}
let [told, toldAt, timer] = [result(), -AT_MOST_EVERY, null];

export const tells = (what) => chosen[what];

function tellResult() {
  clearTimeout(timer);
  if (!chosen.result || document.hidden || result() === told) return;
  const left = toldAt + AT_MOST_EVERY - performance.now();
  if (left > 0) return void (timer = setTimeout(tellResult, left));
  [told, toldAt] = [result(), performance.now()];
  say(word("result", { result: told }));
}

function tellGates({ detail: rows }) {
  const results = rows.map((row) => [row.querySelector("th time"), [...row.querySelectorAll("[data-field=performance_eur]")].at(-1)]);
  const texts = results.map((cells) => cells.map((cell) => cell.textContent.trim()));
  if (chosen.gates) say(texts.map(([period, result]) => word("gate closed", { period, result })).join(" "));
}

function choose({ target }) {
  Object.assign(chosen, kept(), { [target.dataset.aloud]: target.checked }); // another tab may have chosen, too
  try {
    localStorage.setItem("aloud", JSON.stringify(chosen));
  } catch {
    // storage may be forbidden: for this page it holds
  }
  document.dispatchEvent(new CustomEvent("desk:changed"));
}

read();
for (const box of boxes) box.addEventListener("change", choose);
addEventListener("storage", ({ key }) => key === "aloud" && read());
document.addEventListener("desk:changed", tellResult);
document.addEventListener("visibilitychange", tellResult);
document.addEventListener("desk:gate-closed", tellGates);
