/* Keys of the whole page: Ctrl+Enter sends, Esc closes the drawer or stops an answer. (In lists and tabs: lists.js.) */
import { visible } from "./dom.js";
import { drawerIsOpen, openDrawer } from "./drawer.js";

const SENDS = [["#question", "send"], ["#desk-ticket", "desk-draft"]];  // a field, and the button that Ctrl+Enter presses in it
const STOPS = ["stop-answer", "desk-stop"];

document.addEventListener("keydown", (event) => {
  const sends = event.key === "Enter" && (event.ctrlKey || event.metaKey) && SENDS.find(([field]) => event.target.closest(field));
  if (sends) {
    event.preventDefault();
    visible(sends[1])?.click();
  }
  if (event.key !== "Escape" || document.querySelector("dialog[open], .menu")) return;
  if (drawerIsOpen()) { openDrawer(false); visible("lists-button")?.focus(); } else STOPS.map(visible).find(Boolean)?.click();
});
