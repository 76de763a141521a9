/* Keys of the whole page: Ctrl+Enter sends, Esc closes the drawer or stops an answer. (In lists and tabs: lists.js.) */
import { visible } from "./dom.js";
import { drawerIsOpen, openDrawer } from "./drawer.js";

document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.closest("#question")) {
    event.preventDefault();
    visible("send")?.click();
  }
  if (event.key !== "Escape" || document.querySelector("dialog[open], .menu")) return;
  if (drawerIsOpen()) { openDrawer(false); visible("lists-button")?.focus(); } else visible("stop-answer")?.click();
});
