// An opened row's chart: the reference as steps, our trades as dots, our running averages, gate closure. Imported by
// opened.js when the first row is opened; draw(place) draws or brings up to date, with only the newer trades fetched.
const { lang } = document.documentElement;
const number = (value) => value.toLocaleString(lang, { minimumFractionDigits: 2, maximumFractionDigits: 2 }).replace("-", "−");
const zoned = (shape) => new Intl.DateTimeFormat(lang === "en" ? "en-GB" : lang, { ...shape, timeZone: document.getElementById("board").dataset.zone });
const [clock, seconds, day] = [zoned({ timeStyle: "short" }), zoned({ timeStyle: "medium" }), zoned({ day: "numeric", month: "short" })];
let shown = null; // {place, plot, data, mw}: one row is open at a time

function library({ library: source, styles }) {
  if (window.uPlot) return Promise.resolve();
  const script = Object.assign(document.createElement("script"), { src: source });
  document.head.append(script, Object.assign(document.createElement("link"), { rel: "stylesheet", href: styles }));
  return new Promise((resolve, reject) => Object.assign(script, { onload: resolve, onerror: reject }));
}

// All columns by time: what came late stands where it was executed. Averages are over MWh.
export function columns({ time, side, mw, mwh, price, path, now, fan: bands }, gate) {
  const events = time.map((at, i) => [at, side[i], Number(mw[i]), Number(price[i]), Number(mwh[i])]);
  for (const [at, value] of path) events.push([at, "reference", 0, Number(value)]);
  if (path.length) events.push([Math.max(Math.min(now, gate), path.at(-1)[0]), "reference", 0, Number(path.at(-1)[1])]);
  if (bands && now < gate) for (const end of bands.wide) events.push([gate, "fan", 0, Number(end)]); // the scale has room for it
  events.sort((one, other) => one[0] - other[0]);
  const sums = { sell: [0, 0], buy: [0, 0] };
  for (const event of events) {
    const [, kind, , value, amount] = event;
    if (sums[kind]) sums[kind] = [sums[kind][0] + amount * value, sums[kind][1] + amount];
    event[4] = sums[kind] ? sums[kind][0] / sums[kind][1] : null;
  }
  const of = (kind, column) => events.map((event) => (event[1] === kind ? event[column] : null));
  const rows = [events.map(([at]) => at), of("reference", 3), of("sell", 4), of("buy", 4), of("sell", 3), of("buy", 3), of("fan", 3)];
  return { rows, mw: events.map(([, , amount]) => amount) };
}

// The theme's colours as the stylesheet gives them to the chart's own element and to its legend.
const OWN = { text: "color", line: "borderTopColor", quiet: "caretColor", accent: "outlineColor" };
const inLegend = (name) => shown.place.parentElement.querySelector(`.legend [data-side=${name}]`);
const colour = (name) => shown && (OWN[name] ? getComputedStyle(shown.place)[OWN[name]] : getComputedStyle(inLegend(name)).color);

function dotsAndGate(plot) {
  const { ctx, bbox, data } = plot;
  const at = (x, y) => [plot.valToPos(x, "x", true), plot.valToPos(y, "y", true)];
  ctx.save();
  ctx.clip(new Path2D(`M${bbox.left} ${bbox.top}h${bbox.width}v${bbox.height}h${-bbox.width}Z`));
  for (const [index, side] of [[4, "sell"], [5, "buy"]]) {
    const all = new Path2D();
    data[index].forEach((price, i) => {
      if (price === null) return;
      const [left, top] = at(data[0][i], price);
      const size = Math.min(9, 2 + 1.4 * Math.sqrt(shown.mw[i])) * devicePixelRatio;
      all.moveTo(left + size, top);
      if (side === "sell") all.arc(left, top, size, 0, 7);
      else [[0, size], [-size, 0], [0, -size]].forEach(([right, down]) => all.lineTo(left + right, top + down));
    });
    Object.assign(ctx, { fillStyle: colour(side), globalAlpha: 0.75 }).fill(all);
  }
  fan(ctx, at);
  const [gate] = at(Date.parse(shown.place.dataset.gate), 0);
  Object.assign(ctx, { strokeStyle: colour("accent"), fillStyle: colour("quiet"), globalAlpha: 1, textAlign: "right" });
  Object.assign(ctx, { lineWidth: devicePixelRatio, font: `${11 * devicePixelRatio}px system-ui` });
  ctx.setLineDash([4, 4]);
  ctx.stroke(new Path2D(`M${gate} ${bbox.top}v${bbox.height}`));
  ctx.fillText(shown.place.dataset.closes, gate - 6, bbox.top + 12 * devicePixelRatio);
  for (const [moment, price, arrow, said] of shown.data.flags ?? []) ctx.fillText(`${said} ${arrow}⚑`, ...at(moment, price));
  ctx.restore();
}

// Where the reference will lie at closure in 8 and in 5 of 10 like cases, from now to the gate.
function fan(ctx, at) {
  const { fan: bands, now, path } = shown.data, closes = Date.parse(shown.place.dataset.gate);
  if (!bands || now >= closes || document.body.matches("[data-hides~=firmness]")) return;
  const corners = ([low, high]) => [[now, Number(path.at(-1)[1])], [closes, Number(low)], [closes, Number(high)]];
  for (const band of [bands.wide, bands.narrow]) {
    Object.assign(ctx, { fillStyle: colour("text"), globalAlpha: 0.14 });
    ctx.fill(new Path2D(`M${corners(band).map((one) => at(...one)).join("L")}Z`));
  }
}

// What is under the pointer, in words: the trade or the step of the reference.
function readOut({ cursor: { idx: at }, data }) {
  const value = data.slice(1, 6).map((column) => column[at] ?? null).reduce((last, one) => one ?? last, null);
  const amount = shown.mw[at] ? ` · ${number(shown.mw[at])} MW` : "";
  const text = value === null ? "" : `${seconds.format(data[0][at])}${amount} · ${number(value)} ${shown.place.dataset.unit}`;
  document.getElementById("chart-at").textContent = text;
}

// The library paints a moment later: by then the row may have been closed.
const whileShown = (hook) => (plot) => shown?.place.isConnected && hook(plot);

const size = (place) => ({ width: Math.max(place.clientWidth, 240), height: place.clientWidth < 700 ? 220 : 260 });

function options(place) {
  const gate = Date.parse(place.dataset.gate);
  const axis = { stroke: () => colour("quiet"), grid: { stroke: () => colour("line"), width: 1 }, ticks: { show: false } };
  const tick = (at) => (clock.format(at) === "00:00" ? day.format(at) : clock.format(at));
  const line = (name, dash, width) => ({ stroke: () => colour(name), width, dash, spanGaps: true, points: { show: false } });
  const dots = { paths: () => null, points: { show: false } }; // drawn over the lines; here for the scale
  const until = (from, to) => (gate - to < (to - from) / 3 ? Math.max(gate, to) : to);
  const margin = (from, to) => Math.ceil((to - from) / 50) + 1000;
  const range = (plot, from, to) => (from === null ? [gate - 3_600_000, gate] : [from - margin(from, to), until(from, to) + margin(from, to)]);
  return {
    ...size(place), ms: 1, legend: { show: false }, scales: { x: { range } }, cursor: { points: { show: false } },
    axes: [
      { ...axis, size: 30, values: (plot, ticks) => ticks.map(tick) },
      { ...axis, size: 64, values: (plot, ticks) => ticks.map((at) => number(at)) },
    ],
    series: [{}, { ...line("text", [], 2), paths: uPlot.paths.stepped({ align: 1 }) }, line("sell", [5, 3], 1), line("buy", [5, 3], 1), dots, dots, dots],
    hooks: { draw: [whileShown(dotsAndGate)], setCursor: [whileShown(readOut)] },
  };
}

export async function draw(place) {
  const address = new URL(place.dataset.source, location);
  if (shown?.place === place) address.searchParams.set("have", shown.data.state);
  const [answer] = await Promise.all([fetch(address, { cache: "no-store", signal: AbortSignal.timeout(10_000) }), library(place.dataset)]);
  if (answer.ok && place.isConnected) paint(place, await answer.json());
}

const sized = new ResizeObserver(() => shown?.place.clientWidth && shown.plot.setSize(size(shown.place)));

// Nothing of a chart stays when its row is closed: a canvas is megabytes.
export function clear() {
  sized.disconnect();
  shown?.plot?.destroy();
  shown = null;
}

export function paint(place, data) {
  if (shown && shown.place !== place) clear();
  const plot = shown?.plot ?? null;
  if (data.after) for (const name of ["time", "side", "mw", "mwh", "price"]) data[name] = shown.data[name].concat(data[name]);
  const { rows, mw } = columns(data, Date.parse(place.dataset.gate));
  shown = { place, data, plot, mw };
  if (plot) plot.setData(rows);
  else {
    shown.plot = new uPlot(options(place), rows, place);
    sized.observe(place);
  }
  place.dataset.drawn = mw.length;
}

const again = () => shown?.plot?.redraw(false); // in the colours of another theme, or of paper
new MutationObserver(again).observe(document.documentElement, { attributeFilter: ["data-theme"] });
for (const media of ["(prefers-color-scheme: dark)", "print"]) matchMedia(media).addEventListener("change", again);
