// Runs before the first paint: the chosen theme (else the system's), and the switch in the page's head.
(() => {
  "use strict";
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const stored = () => {
    try {
      return localStorage.getItem("theme");
    } catch {
      return null; // storage may be forbidden: the system's theme it is
    }
  };
  const shown = () => root.dataset.theme ?? (dark.matches ? "dark" : "light");
  const follow = (theme) => {
    if (theme === "dark" || theme === "light") root.dataset.theme = theme;
    else delete root.dataset.theme;
  };

  root.classList.add("js");
  follow(stored());
  addEventListener("storage", (event) => event.key === "theme" && follow(event.newValue));

  document.addEventListener("DOMContentLoaded", () => {
    const button = document.getElementById("theme");
    if (!button) return;
    const label = () => (button.textContent = shown() === "dark" ? button.dataset.light : button.dataset.dark);
    button.hidden = false;
    label();
    dark.addEventListener("change", label);
    button.addEventListener("click", () => {
      follow(shown() === "dark" ? "light" : "dark");
      label();
      try {
        localStorage.setItem("theme", root.dataset.theme);
      } catch {
        // shown all the same, until the next page
      }
    });
  });
})();
