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
