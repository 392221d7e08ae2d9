// An opened row's chart: the reference as steps, our trades as dots, our running averages, gate closure. Imported by
// opened.js when the first row is opened; draw(place) draws or brings up to date, with only the newer trades fetched.
const MARGIN = 0.02;
const number = new Intl.NumberFormat(document.documentElement.lang, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
let shown = null; // {place, plot, data}: one row is open at a time

function library({ library: source, styles }) {
  if (window.uPlot) return Promise.resolve();
  document.head.append(Object.assign(document.createElement("link"), { rel: "stylesheet", href: styles }));
  const script = Object.assign(document.createElement("script"), { src: source });
  document.head.append(script);
  return new Promise((resolve, reject) => Object.assign(script, { onload: resolve, onerror: reject }));
}

// All columns by time. What came late stands where it was executed, so all of it is sorted anew.
export function columns({ time, side, mw, price, path }, now) {
  const events = time.map((at, i) => [at, side[i], Number(mw[i]), Number(price[i])]);
  for (const [at, value] of path) events.push([at, "reference", 0, Number(value)]);
  if (path.length) events.push([Math.max(now, path.at(-1)[0]), "reference", 0, Number(path.at(-1)[1])]);
  events.sort((one, other) => one[0] - other[0]);
  const sums = { sell: [0, 0], buy: [0, 0] };
  const result = { x: [], mw: [], reference: [], sell: [], buy: [], sellAverage: [], buyAverage: [] };
  for (const [at, kind, amount, value] of events) {
    result.x.push(at);
    result.mw.push(amount);
    for (const name of ["reference", "sell", "buy"]) result[name].push(name === kind ? value : null);
    if (sums[kind]) sums[kind] = [sums[kind][0] + amount * value, sums[kind][1] + amount];
    for (const name of ["sell", "buy"]) result[`${name}Average`].push(name === kind ? sums[name][0] / sums[name][1] : null);
  }
  return result;
}

function dots(name, circle) {
  return (plot, index) => {
    const { x, mw } = shown.columns;
    const [all, scale] = [new Path2D(), devicePixelRatio];
    plot.data[index].forEach((value, i) => {
      if (value === null) return;
      const [left, top] = [plot.valToPos(x[i], "x", true), plot.valToPos(value, "y", true)];
      const size = Math.min(9, 2 + 1.4 * Math.sqrt(mw[i])) * scale;
      all.moveTo(left + size, top);
      if (circle) all.arc(left, top, size, 0, 7);
      else [[0, size], [-size, 0], [0, -size]].forEach(([right, down]) => all.lineTo(left + right, top + down));
    });
    plot.ctx.save();
    plot.ctx.beginPath();
    plot.ctx.rect(plot.bbox.left, plot.bbox.top, plot.bbox.width, plot.bbox.height);
    plot.ctx.clip();
    Object.assign(plot.ctx, { fillStyle: colour(name), globalAlpha: 0.75 });
    plot.ctx.fill(all);
    plot.ctx.restore();
    return false;
  };
}

// The theme's colours as the stylesheet gives them to the chart's own element and to its legend.
const OWN = { text: "color", line: "borderTopColor", quiet: "caretColor", accent: "outlineColor" };
const colour = (name) => OWN[name]
  ? getComputedStyle(shown.place)[OWN[name]]
  : getComputedStyle(shown.place.parentElement.querySelector(`.legend [data-side=${name}]`)).color;

function gateClosure(plot, gate) {
  const left = plot.valToPos(gate, "x", true);
  if (left > plot.bbox.left + plot.bbox.width) return;
  const { ctx, bbox } = plot;
  ctx.save();
  Object.assign(ctx, { strokeStyle: colour("accent"), fillStyle: colour("quiet"), textAlign: "right", lineWidth: devicePixelRatio });
  ctx.setLineDash([4, 4]);
  ctx.stroke(new Path2D(`M${left} ${bbox.top}v${bbox.height}`));
  ctx.font = `${11 * devicePixelRatio}px system-ui`;
  ctx.fillText(shown.place.dataset.closes, left - 6, bbox.top + 12 * devicePixelRatio);
  ctx.restore();
}

// What is under the pointer, in words: the trade or the step of the reference.
function readOut(plot, clock) {
  const [at, { x, mw }] = [plot.cursor.idx, shown.columns];
  const [, reference, , , sell, buy] = at === null ? [] : plot.data.map((column) => column[at]);
  const value = sell ?? buy ?? reference;
  const kind = value === reference ? "" : ` · ${mw[at]} MW`;
  document.getElementById("chart-at").textContent = value === undefined ? "" : `${clock.format(x[at])}${kind} · ${number.format(value)} ${shown.place.dataset.unit}`;
}

function options(place) {
  const zoned = (shape) => new Intl.DateTimeFormat("en-GB", { ...shape, hourCycle: "h23", timeZone: document.getElementById("board").dataset.zone });
  const [clock, day] = [zoned({ hour: "2-digit", minute: "2-digit" }), zoned({ day: "numeric", month: "short" })];
  const tick = (at) => (clock.format(at) === "00:00" ? day.format(at) : clock.format(at));
  const axis = { stroke: () => colour("quiet"), grid: { stroke: () => colour("line"), width: 1 }, ticks: { show: false } };
  const line = (name, dash, width = 2) => ({ stroke: () => colour(name), width, dash, spanGaps: true, points: { show: false } });
  const gate = Date.parse(place.dataset.gate);
  const until = (from, to) => (gate - to < (to - from) / 3 ? Math.max(gate, to) : to);
  const range = (plot, from, to) => (from === null ? [gate - 3_600_000, gate] : [from, until(from, to) + (to - from) * MARGIN + 1000]);
  return {
    ...size(place), ms: 1, legend: { show: false }, scales: { x: { range } }, cursor: { points: { show: false } },
    axes: [{ ...axis, size: 30, values: (plot, ticks) => ticks.map(tick) }, { ...axis, size: 64, values: (plot, ticks) => ticks.map((tick) => number.format(tick)) }],
    series: [{}, { ...line("text"), paths: uPlot.paths.stepped({ align: 1 }) }, line("sell", [5, 3], 1), line("buy", [5, 3], 1),
      { paths: () => null, points: { show: dots("sell", true) } }, { paths: () => null, points: { show: dots("buy", false) } }],
    hooks: { draw: [(plot) => gateClosure(plot, gate)], setCursor: [(plot) => readOut(plot, zoned({ timeStyle: "medium" }))] },
  };
}

const size = (place) => ({ width: Math.max(place.clientWidth, 240), height: place.clientWidth < 700 ? 220 : 260 });

export async function draw(place) {
  const address = new URL(place.dataset.source, location);
  if (shown?.place === place) address.searchParams.set("have", shown.data.state);
  const [answer] = await Promise.all([fetch(address, { cache: "no-store" }), library(place.dataset)]);
  if (answer.ok && place.isConnected) paint(place, await answer.json());
}

export function paint(place, data) {
  const plot = shown?.place === place ? shown.plot : null;
  if (data.after) for (const name of ["time", "side", "mw", "price"]) data[name] = shown.data[name].concat(data[name]);
  const found = columns(data, Math.min(data.now, Date.parse(place.dataset.gate)));
  const rows = [found.x, found.reference, found.sellAverage, found.buyAverage, found.sell, found.buy];
  shown = { place, data, plot, columns: found };
  if (plot) plot.setData(rows);
  else {
    shown.plot = new uPlot(options(place), rows, place);
    new ResizeObserver(() => shown.place === place && place.clientWidth && shown.plot.setSize(size(place))).observe(place);
  }
  place.dataset.drawn = found.x.length;
}

const again = () => shown?.plot?.redraw(false);
new MutationObserver(again).observe(document.documentElement, { attributeFilter: ["data-theme"] });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
