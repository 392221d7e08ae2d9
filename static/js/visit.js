// The guided first visit: only a page that offers it loads this, and only who begins it sees it (201), once.
import { isShown } from "./morph.js";

const tour = document.getElementById("tour");
const form = tour.querySelector("form");
const [steps, [next, back, skip]] = [[...tour.querySelectorAll("li")], tour.querySelectorAll("button")];
const word = next.textContent;
let at = 0;

function leave() {
  const hadFocus = tour.contains(document.activeElement);
  tour.remove();
  if (hadFocus) document.getElementById("board").focus();
}

function show(step) {
  at = step;
  for (const lit of document.querySelectorAll(".toured")) lit.classList.remove("toured");
  if (at === steps.length) return leave();
  tour.querySelector("h2 span").textContent = `${at + 1}/${steps.length}`;
  tour.querySelector("[role=status]").textContent = steps[at].textContent;
  back.hidden = at === 0;
  skip.hidden = at === steps.length - 1;
  next.textContent = skip.hidden ? next.dataset.done : word;
  const target = [...document.querySelectorAll(steps[at].dataset.at)].find(isShown);
  target?.classList.add("toured");
  target?.scrollIntoView({ block: "center" });
}

next.addEventListener("click", () => show(at + 1));
back.addEventListener("click", () => show(at - 1));
skip.addEventListener("click", () => show(steps.length));
tour.addEventListener("keydown", ({ key }) => key === "Escape" && show(steps.length));

const answer = await fetch(form.action, { method: "POST", body: new FormData(form), redirect: "manual" });
if (answer.status === 201) {
  tour.hidden = false;
  show(0);
  if (document.activeElement === document.body) next.focus({ preventScroll: true }); // the keyboard begins here
}
