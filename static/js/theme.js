// Runs before the first paint: the chosen theme (else the system's), and the switch in the page's head.
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
})();
