// A row opened in place: its panel comes ready from the row's own address, which is then this page's, so that it can be
// shared and reloaded. Listens to "desk:changed" and fetches the panel again when its row's figures are others.
const board = document.getElementById("board");
const panel = () => document.getElementById("opened");
const rowOf = (opened) => document.getElementById(opened.dataset.of).querySelector(".period");
const linkTo = (address) => [...board.querySelectorAll(".period th a")].find((one) => one.pathname === new URL(address, location).pathname);
const callbacks = { beforeNodeMorphed: (node) => !node.dataset || !("own" in node.dataset) };
let home = panel()?.dataset.close ?? location.href; // where closing leads
let seen = panel()?.dataset.revision; // the row's figures that the panel was fetched for
let loading = null;

function mark() {
  for (const link of board.querySelectorAll(".period th a")) link.setAttribute("aria-expanded", "false");
  if (panel()) rowOf(panel()).querySelector("th a").setAttribute("aria-expanded", "true");
}

async function drawChart() {
  const place = document.getElementById("chart");
  if (place) await (await import(place.dataset.draws)).draw(place);
}

// The panel of the row at `address`, behind its row. Whatever can't be shown here is shown as a page of its own.
async function load(address) {
  loading = address;
  const row = linkTo(address)?.closest(".period");
  try {
    const revision = row?.dataset.revision;
    const answer = await fetch(address, { headers: { "X-Part": "opened" }, cache: "no-store" });
    if (!row || !answer.ok || answer.redirected) return void location.assign(address);
    const html = await answer.text();
    if (loading !== address || !row.isConnected) return;
    seen = revision;
    if (panel()?.dataset.of === row.parentElement.id) Idiomorph.morph(panel(), html, { morphStyle: "outerHTML", callbacks });
    else {
      panel()?.remove();
      row.parentElement.insertAdjacentHTML("afterend", html);
    }
    mark();
    await drawChart();
  } catch {
    return void (seen = null); // not reachable: fetched again with the next news
  } finally {
    loading = null;
  }
  keepUp(); // what came meanwhile
}

function open(address) {
  if (!panel()) home = location.href;
  history.pushState(null, "", address);
  return load(address);
}

function close() {
  if (!panel()) return;
  rowOf(panel()).querySelector("th a").focus();
  panel().remove();
  mark();
  history.pushState(null, "", home);
}

function follow(event) {
  if (event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  const link = event.target.closest("a");
  const row = event.target.closest(".period");
  if (link?.matches("[data-closes]") || (row && panel() && rowOf(panel()) === row)) close();
  else if (link?.matches("[data-panel]")) {
    history.replaceState(null, "", link.href);
    load(link.href);
  } else if (row && !getSelection().toString()) open(row.querySelector("th a").href);
  else return;
  event.preventDefault();
}

function keepUp() {
  mark();
  if (panel() && !loading && rowOf(panel()).dataset.revision !== seen) load(location.href);
}

board.addEventListener("click", follow);
addEventListener("popstate", () => (linkTo(location) ? load(location.href) : (panel()?.remove(), mark())));
document.addEventListener("desk:close", close);
document.addEventListener("desk:changed", keepUp);
mark();
drawChart();
