/*
 * The strip of replies on the way: the page holds all checks, and shows the one that the slider, or a press on a step, names.
 * Drawn anew, it stays where somebody has moved it; at its end it follows what comes.
 */
import { piece } from "./live.js";

export function replies(element, props, watch, id) {
  let chosen = null;  // the words of the check that somebody has moved to; null follows the newest

  function show(at) {
    const marks = [...element.querySelectorAll("button[data-at]")], mark = marks[at];
    if (!mark) return;
    const slider = element.querySelector("input[type=range]");
    slider.value = at;
    slider.setAttribute("aria-valuetext", mark.dataset.words);
    element.querySelector("output").textContent = mark.dataset.words;
    marks.forEach((each, number) => each.setAttribute("aria-pressed", String(number === at)));
    element.querySelectorAll("div[data-at]").forEach((said) => { said.hidden = Number(said.dataset.at) !== at; });
  }
  function move(at) {
    const marks = element.querySelectorAll("button[data-at]");
    chosen = at === marks.length - 1 ? null : marks[at]?.dataset.words;
    show(at);
  }
  function again() {
    const marks = [...element.querySelectorAll("button[data-at]")];
    const at = marks.findIndex((mark) => mark.dataset.words === chosen);
    if (marks.length) show(at < 0 ? marks.length - 1 : at);
  }
  const drawn = () => setTimeout(again);
  element.addEventListener("input", ({ target }) => { if (target.type === "range") move(Number(target.value)); });
  element.addEventListener("click", ({ target }) => {
    const mark = target.closest("button[data-at]");
    if (mark) move(Number(mark.dataset.at));
  });
  watch("value", drawn);
  piece(id, element, props, drawn);
  drawn();
}
