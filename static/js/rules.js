// The form of rules: what a browser must be asked for is asked where it is wished for, and a sound is heard before it calls.
import { beep } from "./sound.js";

const form = document.querySelector("form.rule");
const refused = document.getElementById("refused");
const say = () => (refused.hidden = !form.browser.checked || globalThis.Notification?.permission === "granted");

form.browser.addEventListener("change", async () => {
  if (form.browser.checked) await globalThis.Notification?.requestPermission();
  say();
});
form.sound.addEventListener("change", () => form.sound.checked && beep());
// A figure that is being typed chooses its rule.
form.addEventListener("input", ({ target }) => {
  const choice = target.closest(".choice")?.querySelector("[name=kind]");
  if (choice) choice.checked = true;
});
say();
