// A simulated server, network and clock for the page's own scripts, and a random walk over what can go wrong with them.
// Loaded before them: nothing here is the product's. walk(seed, steps) is called by test_walk.py and gives what was wrong.
(() => {
  const real = { setTimeout: window.setTimeout.bind(window) };
  let now = 0, timers = [], lastId = 0;

  window.performance.now = () => now;
  window.setTimeout = (call, after = 0) => (timers.push({ id: ++lastId, at: now + after, call }), lastId);
  window.setInterval = (call, every) => (timers.push({ id: ++lastId, at: now + every, call, every }), lastId);
  window.clearTimeout = window.clearInterval = (id) => (timers = timers.filter((timer) => timer.id !== id));
  window.requestAnimationFrame = (call) => setTimeout(call, 16);
  AbortSignal.timeout = (after) => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(new DOMException("too late", "TimeoutError")), after);
    return controller.signal;
  };
  const settle = () => new Promise((done) => { const channel = new MessageChannel(); channel.port1.onmessage = done; channel.port2.postMessage(0); });

  // Lets virtual time pass; between two moments everything that is ready to run does.
  async function pass(length) {
    const until = now + length;
    for (;;) {
      await settle();
      timers.sort((one, other) => one.at - other.at || one.id - other.id);
      const next = timers[0];
      if (!next || next.at > until || frozen) break;
      now = Math.max(now, next.at);
      if (next.every) next.at = now + next.every;
      else timers.shift();
      next.call();
    }
    now = until;
    await settle();
  }

  // --- the server: rows of a board, each with a version; the same forms as the product's --------------------------
  const rows = new Map(); // id -> value; 0 for a row without trades
  let revision = 1, changes = 0;
  const version = () => `${revision}.0-${revision}`;
  const total = () => [...rows.values()].reduce((sum, value) => sum + value, 0);
  const period = (id, value) =>
    `<tbody id="${id}"><tr class="period" data-state="open"><td><span data-field="trade" data-value="${value}">${value}</span></td></tr></tbody>`;
  const totalOf = () => `<tfoot id="total"><tr><td data-total="trade" data-value="${total()}">${total()}</td></tr></tfoot>`;
  const summary = () => `<section id="summary" data-title="${total()}"><b data-field="sum" data-value="${total()}">${total()}</b></section>`;
  const feeds = () => `<div id="feed-states"><i>${changes % 3}</i></div>`;
  const inOrder = () => [...rows.entries()].sort(([one], [other]) => (one < other ? -1 : 1));
  const parts = () => Object.fromEntries([["feed-states", feeds()], ["summary", summary()], ...inOrder().map(([id, v]) => [id, period(id, v)]), ["total", totalOf()]]);
  const boardHtml = () => `<main id="board" data-by="product" data-socket="/ws/boards/t/2026-11-30/?language=en" data-version="${version()}" data-now="2026-11-30T10:00:00Z" data-today="2026-11-30" data-zone="Europe/Berlin" data-app="1" data-login="/login/">${summary()}<table id="periods">${inOrder().map(([id, v]) => period(id, v)).join("")}${totalOf()}</table></main>`;
  const wire = (news) => JSON.stringify({ now: new Date(1_800_000_000_000 + now).toISOString(), today: "2026-11-30", app: "1", right: new Date(1_800_000_000_000 + now).toISOString(), trouble: "", version: version(), since: "", ...news });
  const since = (have) => wire(have === version() ? { since: have, parts: { "feed-states": feeds() } } : { parts: parts() });

  // One change of the figures, told to every open socket.
  function change(edit) {
    const [old, before] = [parts(), version()];
    edit();
    revision += 1;
    changes += 1;
    const fresh = parts();
    const gone = Object.keys(old).some((id) => !(id in fresh));
    const changed = gone ? fresh : Object.fromEntries(Object.entries(fresh).filter(([id, html]) => old[id] !== html));
    tell(wire({ since: gone ? "" : before, parts: changed }));
  }

  // --- the network -------------------------------------------------------------------------------------------------
  const faults = { socket: "", get: "", opens: 50, lose: 0, double: 0, late: 0, swap: false };
  let sockets = [], held = null, frozen = false;
  const healed = () => Object.assign(faults, { socket: "", get: "", opens: 50, lose: 0, double: 0, late: 0, swap: false });

  class Socket {
    static CONNECTING = 0; static OPEN = 1; static CLOSING = 2; static CLOSED = 3;
    constructor() {
      this.readyState = 0;
      sockets.push(this);
      if (faults.socket === "blocked") setTimeout(() => this.#end(1006), 5);
      else if (faults.socket !== "swallowed") setTimeout(() => this.#open(), faults.opens);
    }
    #open() {
      if (this.readyState) return;
      this.readyState = 1;
      this.onopen?.();
    }
    #end(code) {
      if (this.readyState === 3) return;
      this.readyState = 3;
      sockets = sockets.filter((one) => one !== this);
      this.onclose?.({ code });
    }
    send(text) {
      if (this.dead) return;
      setTimeout(() => this.deliver(since(JSON.parse(text).have)), 20);
    }
    deliver(data) {
      if (this.readyState === 1 && !this.dead) this.onmessage?.({ data });
    }
    cut() { this.#end(1006); }
    close() { setTimeout(() => this.#end(1000), 1); this.readyState = Math.max(this.readyState, 2); }
  }
  window.WebSocket = Socket;

  function tell(data) {
    for (const socket of [...sockets]) {
      if (faults.lose > 0) { faults.lose -= 1; continue; }
      const send = (after) => setTimeout(() => socket.deliver(data), 10 + after);
      if (faults.swap && !held) { held = () => send(0); continue; }
      send(faults.late);
      if (faults.double > 0) { faults.double -= 1; send(30); }
      if (held) { held(); held = null; faults.swap = false; }
    }
  }
  setInterval(() => tell(wire({ parts: {} })), 2000); // the heartbeat

  window.fetch = (address, { headers = {}, signal } = {}) => new Promise((done, fail) => {
    signal?.addEventListener("abort", () => fail(signal.reason));
    if (faults.get === "hangs") return;
    const answer = (body, ok = true) => ({ ok, status: ok ? 200 : 502, redirected: false, text: async () => body, json: async () => JSON.parse(body) });
    setTimeout(() => {
      if (faults.get === "refused") return fail(new TypeError("refused"));
      if (faults.get === "error page") return done(answer("<html><body>Bad gateway</body></html>", false));
      if (headers["X-Part"] === "news") return done(answer(since(headers["X-Have"])));
      done(answer(`<!DOCTYPE html><html lang="en"><body>${feeds()}${boardHtml()}</body></html>`));
    }, 30);
  });

  // --- the tab -----------------------------------------------------------------------------------------------------
  let hidden = false;
  Object.defineProperty(document, "hidden", { get: () => hidden });
  const see = (seen) => { hidden = !seen; document.dispatchEvent(new Event("visibilitychange")); };

  window.prepare = () => {
    for (let hour = 0; hour < 24; hour += 1) rows.set(`p-${String(hour).padStart(2, "0")}00-60`, 0);
    return { feeds: feeds(), board: boardHtml() };
  };

  // --- the walk ----------------------------------------------------------------------------------------------------
  function dice(seed) { // mulberry32
    return () => {
      seed = (seed + 0x6d2b79f5) | 0;
      let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
      t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
      return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
    };
  }

  function wrong() {
    const shown = new Map([...document.querySelectorAll("#board tbody")].map((row) => [row.id, Number(row.querySelector("[data-value]").textContent)]));
    const sum = [...shown.values()].reduce((one, other) => one + other, 0);
    const said = Number(document.querySelector("#total [data-value]").textContent);
    const link = document.documentElement.dataset.link;
    if (said !== sum) return `the total says ${said}, the rows add up to ${sum}`;
    for (const [id, value] of rows) if (value && shown.get(id) !== value) return `row ${id} shows ${shown.get(id)}, it is ${value}`;
    for (const id of shown.keys()) if (!rows.has(id)) return `row ${id} is there and should not be`;
    if (said !== total()) return `the total says ${said}, it is ${total()}`;
    if (document.title.split(" ")[0] !== String(total())) return `the title says ${document.title}, it is ${total()}`;
    const works = sockets.some((one) => one.readyState === 1 && !one.dead);
    if (link === "live" && !works) return "it says live and has no socket";
    return "";
  }

  window.walk = async (seed, steps) => {
    const chance = dice(seed);
    const any = (list) => list[Math.floor(chance() * list.length)];
    const names = () => [...rows.keys()];
    const news = {
      trade: () => change(() => { const id = any(names()); rows.set(id, rows.get(id) + 1 + Math.floor(chance() * 9)); }),
      quarter: () => change(() => rows.set(`p-${any(names()).slice(2, 4)}${any(["00", "15", "30"])}-15`, 1 + Math.floor(chance() * 9))),
      cancelled: () => { const id = any(names().filter((one) => one.endsWith("-15"))); if (id) change(() => rows.delete(id)); else news.trade(); },
      twoAtOnce: () => { news.trade(); news.quarter(); },
      burst: () => { for (let n = 0; n < 20; n += 1) news.trade(); },
    };
    const trouble = {
      lost: () => (faults.lose = 1 + Math.floor(chance() * 3)), doubled: () => (faults.double = 1), late: () => (faults.late = chance() * 4000), swapped: () => (faults.swap = true),
      refused: () => (faults.get = "refused"), hangs: () => (faults.get = "hangs"), errorPage: () => (faults.get = "error page"),
      slowToOpen: () => { faults.opens = 20_000; sockets.forEach((one) => one.cut()); },
      blocked: () => { faults.socket = "blocked"; sockets.forEach((one) => one.cut()); },
      swallowed: () => { faults.socket = "swallowed"; sockets.forEach((one) => one.cut()); },
      cut: () => sockets.forEach((one) => one.cut()), dead: () => sockets.forEach((one) => (one.dead = true)),
      hidden: () => see(false), frozen: () => { see(false); frozen = true; },
      kept: () => dispatchEvent(new PageTransitionEvent("pagehide", { persisted: true })),
    };
    const found = [], seen = {};
    for (let step = 0; step < steps; step += 1) {
      const name = any(Object.keys(trouble));
      seen[name] = (seen[name] ?? 0) + 1;
      trouble[name]();
      for (let count = 1 + Math.floor(chance() * 3); count > 0; count -= 1) {
        any(Object.values(news))();
        await pass(chance() * (name === "slowToOpen" ? 9000 : 2500));
      }
      const heldBack = held;
      healed();
      heldBack?.();
      held = null;
      frozen = false;
      if (name === "kept") dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }));
      see(true);
      await pass(5000);
      const problem = wrong();
      if (problem) found.push(`step ${step}, ${name}: ${problem}`);
      if (found.length > 5) break;
    }
    return { found, seen, timers: timers.length, sockets: sockets.length, seconds: now / 1000 };
  };
  window.letPass = pass;
  window.tools = { real, change, rows, see, faults, sockets: () => sockets, wrong, news: (count) => { for (let n = 0; n < count; n += 1) change(() => rows.set("p-0000-60", rows.get("p-0000-60") + 1)); } };
})();
