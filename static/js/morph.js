// Brings an element up to date with its HTML without replacing it: focus, selection and what the page has added stay.
// Where only texts and attributes are others they are copied; matching elements that come and go is Idiomorph's.
const OURS = new Set(["class", "aria-expanded", "data-unfolded"]); // the server never changes a class; folds are the page's
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
