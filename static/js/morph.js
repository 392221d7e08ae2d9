// Brings an element up to date with its HTML without replacing it: focus, selection and what the page has added stay.
// Where only texts and attributes are others they are copied; matching elements that come and go is Idiomorph's.
const OURS = new Set(["class", "aria-expanded", "data-unfolded", "open"]); // the server changes no class; folds are the page's
const isOwn = (node) => "own" in (node.dataset ?? {}); // what is in these elements is the page's, too
// Idiomorph may make one kind of row of another: then the class is the new one's.
const callbacks = { beforeAttributeUpdated: (name) => name === "class" || !OURS.has(name), beforeNodeMorphed: (node) => !isOwn(node) };

function bring(to, from) {
  if (isOwn(to) || to.isEqualNode(from)) return;
  const [children, news] = [[...to.childNodes], [...from.childNodes]];
  const alike = to.nodeName === from.nodeName && children.length === news.length && children.every(({ id }, at) => id === news[at].id);
  if (!alike) return void Idiomorph.morph(to, from, { morphStyle: "outerHTML", callbacks });
  if (to.nodeType !== Node.ELEMENT_NODE) return void (to.data = from.data);
  for (const name of new Set([...to.getAttributeNames(), ...from.getAttributeNames()])) {
    if (OURS.has(name) || to.getAttribute(name) === from.getAttribute(name)) continue;
    if (from.hasAttribute(name)) to.setAttribute(name, from.getAttribute(name));
    else to.removeAttribute(name);
  }
  children.forEach((child, at) => bring(child, news[at]));
}

export function morph(element, html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  bring(element, template.content.firstElementChild);
}

// --- the keyboard's place stays while the page changes under it. What had the focus may fold away, or be gone: then its
// row's link has it, or that of the panel's row, the button that unfolds the row, or a neighbour.

export const isShown = (element) => element.checkVisibility?.() ?? element.getClientRects().length > 0;
const usable = (element) => Boolean(element?.isConnected && isShown(element));
const links = () => [...document.querySelectorAll("#board .period :is(th, td) a")].filter(usable);
const LAST_RESORTS = ["#periods", "#status", "main"];

// The button of the fold that a row has gone into: its own part's, or the nearest before it.
function foldOf(part) {
  while (part && !part.querySelector(".fold button")) part = part.previousElementSibling;
  return part?.querySelector(".fold button");
}

// Remembers where the focus is; what it gives puts it back there, or nearby.
export function placeOf(focused = document.activeElement) {
  if (!focused || focused === document.body) return () => {}; // looking at every row's link takes as long as a change
  const part = focused?.closest("tbody");
  const row = document.getElementById(part?.dataset.of ?? part?.id); // a panel's is the one that it belongs to
  const [at, inRow] = [links().indexOf(focused), part ? [...part.querySelectorAll("a")].indexOf(focused) : -1];
  return () => {
    if (usable(focused) && focused === document.activeElement) return;
    const own = row?.isConnected ? row : document.getElementById(row?.id);
    const rest = links();
    const near = [focused, own?.querySelectorAll("a")[inRow], own?.querySelector("th a"), foldOf(own), rest[Math.min(at, rest.length - 1)]];
    const next = [...near, ...LAST_RESORTS.map((one) => document.querySelector(one))].find(usable);
    next?.focus({ preventScroll: true });
  };
}

export function keepingFocus(change) {
  const putBack = placeOf();
  change();
  putBack();
}
