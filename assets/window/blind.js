/* The blind test by its keys: 1 and 2 prefer an answer, 0 is a tie, b finds both bad; while the keyboard is in its card. */
import { actions } from "./actions.js";

const KEYS = { 1: "first", 2: "second", 0: "tie", b: "both bad" };

export function blind(element, trigger, watch, events) {
  actions(element, trigger, watch, events);
  element.addEventListener("keydown", (event) => {
    const choice = event.ctrlKey || event.metaKey || event.altKey ? null : KEYS[event.key.toLowerCase()];
    const button = choice && element.querySelector(`[data-choice="${choice}"]`);
    if (!button) return;
    event.preventDefault();
    event.stopPropagation();  // digits open the tabs elsewhere
    if (!event.repeat) button.click();  // a key that is held votes once
  });
  watch("value", () => setTimeout(() => element.querySelector(".blind-card")?.focus({ preventScroll: true })));
}
