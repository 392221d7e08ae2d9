// Runs before the first paint: the chosen theme (else the system's), and the switch in the page's head. Also closes the
// menus there by a click elsewhere and by Escape.
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
})();
