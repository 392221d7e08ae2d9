// Every page's own: the chosen theme (else the system's) before the first paint, and its switch in the head; menus there
// that close by a click elsewhere and by Escape; and figures that are copied as numbers.
(() => {
  "use strict";
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const shown = () => root.dataset.theme ?? (dark.matches ? "dark" : "light");
  const follow = (theme) => ["dark", "light"].includes(theme) && (root.dataset.theme = theme);

  root.classList.add("js");
  try {
    follow(localStorage.getItem("theme"));
  } catch {
    // storage may be forbidden: the system's theme it is, and a choice lasts for one page
  }
  addEventListener("storage", (event) => event.key === "theme" && follow(event.newValue));
  const closeMenus = (but) => document.querySelectorAll(".menu[open]").forEach((menu) => menu !== but && (menu.open = false));
  addEventListener("click", ({ target }) => closeMenus(target.closest(".menu")));
  addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" && document.activeElement.closest(".menu[open]");
    if (!menu) return;
    event.stopPropagation(); // the opened row stays
    menu.querySelector("summary").focus();
    closeMenus();
  }, { capture: true });
  addEventListener("DOMContentLoaded", () => {
    const button = document.getElementById("theme");
    if (!button) return;
    const label = () => (button.textContent = button.dataset[shown() === "dark" ? "light" : "dark"]);
    button.hidden = false;
    label();
    dark.addEventListener("change", label);
    button.addEventListener("click", () => {
      follow(shown() === "dark" ? "light" : "dark");
      label();
      localStorage.setItem("theme", root.dataset.theme);
    });
  });

  // Figures that are copied from a table paste into a spreadsheet as numbers: a plain minus, no thin spaces, the language's
  // decimal mark; one line a row, a tab between cells, and of a cell its figure alone.
  const LIKE_A_NUMBER = /^[+−-]?[\d\s]*\d(?:[.,]\d+)?$/;
  const asNumber = (text) => (LIKE_A_NUMBER.test(text) ? text.replace(/[\s+]/g, "").replace("−", "-") : text);
  const told = (element) => asNumber(element.textContent.trim().replace(/\s+/g, " "));

  function cellText(cell) {
    const figure = cell.querySelector("[data-value]") ?? cell;
    const text = told(figure);
    return text === "—" ? "" : text;
  }

  document.addEventListener("copy", (event) => {
    const selection = getSelection();
    if (selection.isCollapsed || event.target.closest?.("input, textarea")) return;
    const copied = selection.getRangeAt(0).cloneContents();
    const rows = [...copied.querySelectorAll("tr")];
    const lines = rows.map((row) => [...row.cells].map(cellText).join("\t"));
    const alone = told({ textContent: selection.toString() });
    if (!lines.length && alone === selection.toString().trim()) return; // a text: as ever
    event.clipboardData.setData("text/plain", lines.length ? lines.join("\n") : alone);
    event.preventDefault();
  });
})();
