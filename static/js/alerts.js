// The line of alerts that were not seen yet, loaded with the first of them (link.js): the page asks what they are.
import { asking, get } from "./asking.js";
import { beep } from "./sound.js";

const line = document.getElementById("alerts");
const KEY = "alerts told";
// Of all open tabs one calls; without locks (plain http) two may, and their notifications are one by its tag.
const alone = (work) => (navigator.locks ? navigator.locks.request(KEY, work) : work());

function call() {
  const told = Number(localStorage.getItem(KEY));
  const fresh = [...line.querySelectorAll("[data-alert]")].filter(({ dataset }) => Number(dataset.alert) > told);
  if (!fresh.length) return;
  localStorage.setItem(KEY, Math.max(...fresh.map(({ dataset }) => Number(dataset.alert))));
  if (fresh.some(({ dataset }) => "sound" in dataset)) beep();
  if (globalThis.Notification?.permission !== "granted") return;
  for (const one of fresh.filter(({ dataset }) => "browser" in dataset)) {
    new Notification(one.querySelector("span").textContent, { tag: `alert ${one.dataset.alert}` });
  }
}

export const load = asking(async () => {
  const answer = await get("/alerts/line/");
  const fresh = !answer.redirected && answer.ok && new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("alerts");
  if (!fresh) return;
  line.replaceChildren(...fresh.childNodes);
  await alone(call);
});

line.addEventListener("click", async ({ target }) => {
  if (target.name !== "seen") return;
  const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
  const body = new URLSearchParams({ seen: target.value, csrfmiddlewaretoken: token });
  await fetch("/alerts/change/", { method: "POST", body, redirect: "manual" });
  load();
});
