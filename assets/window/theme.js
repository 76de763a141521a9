/*
 * Light and dark. No module, but a script that the page waits for: it begins in the right colours before anything is drawn.
 * The button stands in the header, and another page of the same browser follows.
 */
(() => {
  "use strict";
  const KEY = "ticket-tuner-theme";
  const root = document.documentElement;
  const systemIsDark = matchMedia("(prefers-color-scheme: dark)");
  let chosen = null;  // for a browser that remembers nothing
  try { chosen = localStorage.getItem(KEY); } catch { /* private mode */ }

  const theme = () => chosen || (systemIsDark.matches ? "dark" : "light");
  function paint() {
    root.dataset.theme = root.style.colorScheme = theme();
    const isDark = theme() === "dark";  // Gradio's own parts go by a class
    if (document.body && document.body.classList.contains("dark") !== isDark) document.body.classList.toggle("dark", isDark);
  }
  function choose(name) {
    chosen = name;
    try { localStorage.setItem(KEY, name); } catch { /* not remembered */ }
    paint();
  }

  paint();
  systemIsDark.addEventListener("change", paint);
  addEventListener("storage", (event) => { if (event.key === KEY) { chosen = event.newValue; paint(); } });
  document.addEventListener("click", ({ target }) => {
    if (target.closest?.("#theme-button")) choose(theme() === "dark" ? "light" : "dark");
  });
  document.addEventListener("DOMContentLoaded", () => {
    paint();
    new MutationObserver(paint).observe(document.body, { attributes: true, attributeFilter: ["class"] });
  });
})();
