// The line of alerts that were not seen yet, loaded with the first of them (link.js): the page asks what they are.
import { asking, get } from "./asking.js";

const line = document.getElementById("alerts");
const told = () => Number(sessionStorage.getItem("alerts told"));

function beep() {
  const [audio, now] = [new AudioContext(), 0.4];
  const tone = new OscillatorNode(audio, { frequency: 660 });
  tone.connect(new GainNode(audio, { gain: 0.1 })).connect(audio.destination);
  tone.start();
  tone.stop(now);
  tone.onended = () => audio.close();
}

export const load = asking(async () => {
  const answer = await get("/alerts/line/");
  const fresh = !answer.redirected && answer.ok && new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("alerts");
  if (!fresh) return;
  line.replaceChildren(...fresh.childNodes);
  if (Number(fresh.dataset.newest) <= told()) return;
  sessionStorage.setItem("alerts told", fresh.dataset.newest);
  if ("sound" in fresh.dataset) beep();
  if ("browser" in fresh.dataset && Notification.permission === "granted") new Notification(line.querySelector("p").textContent);
});

line.addEventListener("click", async ({ target }) => {
  if (target.name !== "seen") return;
  if (Notification?.permission === "default") Notification.requestPermission();
  const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
  const body = new URLSearchParams({ seen: target.value, csrfmiddlewaretoken: token });
  await fetch("/alerts/change/", { method: "POST", body, redirect: "manual" });
  load();
});
