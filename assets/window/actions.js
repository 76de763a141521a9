/*
 * Buttons inside HTML: data-do names the event, the other data-* go with it. A list may be drawn anew while the mouse is down,
 * and another row be under it then: what counts is what the button said when it was pressed.
 */
import { openMenu } from "./menu.js";
import { hold, isBusy } from "./once.js";

const MAKES = new Set(["again", "agent", "allow", "delete", "drop", "forget", "make", "mask", "resume", "tag", "undo"]);
const REDRAWN = 3000;  // milliseconds until it is drawn anew, or the message that it failed has been read

/** What is chosen in the lists that stand in the same section as a button. */
function chosen(button) {
  const lists = button.closest("section")?.querySelectorAll("select[data-choice]") ?? [];
  return Object.fromEntries([...lists].map((list) => [list.dataset.choice, list.value]));
}

export function actions(element, trigger, watch, events) {
  const raise = (name, data) => events.includes(name) && trigger(name, data);
  let pressed = null;
  element.addEventListener("pointerdown", ({ target }) => {
    const button = target.closest("[data-do]");
    pressed = button && { button, data: { ...button.dataset } };
  });
  element.addEventListener("keydown", (event) => {  // a key that is held is one press
    if (event.repeat && (event.key === "Enter" || event.key === " ") && event.target.closest("[data-do]")) event.preventDefault();
  });
  element.addEventListener("click", ({ target }) => {
    const menu = target.closest("[data-menu]");
    if (menu) { openMenu(menu, menu.getBoundingClientRect(), raise); return; }
    const button = target.closest("[data-do]");
    if (!button || button.disabled || isBusy(button)) return;
    const data = { ...(pressed?.button === button ? pressed.data : button.dataset), ...chosen(button) };
    pressed = null;
    if (MAKES.has(data.do)) hold(button, REDRAWN);
    raise(data.do, data);
  });
  element.addEventListener("contextmenu", (event) => {
    const menu = event.target.closest(".side-row, tr")?.querySelector("[data-menu]");
    if (!menu) return;
    event.preventDefault();
    openMenu(menu, { left: event.clientX, bottom: event.clientY, right: event.clientX, top: event.clientY }, raise);
  });
}
