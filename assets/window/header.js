/* The header: who has logged in and the way out, and the help. (Its button for light and dark: theme.js.) */
import { draw, make, say } from "./dom.js";

export function header(element) {
  const person = window.gradio_config?.username;
  if (person) element.querySelector(".top-buttons")?.prepend(wayOut(person));
  element.addEventListener("click", ({ target }) => {
    if (target.closest("#help-button")) document.getElementById("help").showModal();
  });
}

function wayOut(person) {
  const out = make("a", "log-out", { href: "./logout", title: `Log out ${person}` });
  const icon = draw("svg", { class: "icon", width: 16, height: 16, viewBox: "0 0 16 16", "aria-hidden": "true" });
  icon.append(draw("path", { d: "M6.5 3H3v10h3.5M7 8h6.5M11 5l3 3-3 3" }));
  out.append(say("span", "", `${person} · Log out`), icon);
  return out;
}
