/* The open tab: in the address, so that it can be linked to, and in the browser, so that a new window begins there. */
import { root, store, stored } from "./dom.js";

const KEY = "ticket-tuner-tab";
const button = (name) => document.getElementById(`tab-${name}-button`);

/** The first of the names that is a tab: what the address says goes before what was open the last time. */
export const firstTab = (names, isTab) => names.find((name) => name && isTab(name)) ?? "tickets";

/** The tab that the page begins with; it may not have been clicked yet. */
export const openTab = () => firstTab([location.hash.slice(1), stored(KEY)], button);

/** Show the page, now that it knows what it had selected; called by the first answer of the server. */
export function ready(how = "yes") { root.dataset.ready = how; }

/** Wait until Gradio has put the tabs on the page, and open the one that was open. */
function restore(tries = 200) {
  const first = button("tickets");
  if (!first) { if (tries) setTimeout(() => restore(tries - 1), 50); return; }
  const wanted = button(openTab());
  if (wanted && wanted.getAttribute("aria-selected") !== "true") wanted.click();
  new MutationObserver(remember).observe(first.parentElement, { subtree: true, attributes: true, attributeFilter: ["aria-selected"] });
  addEventListener("resize", inSight);
  addEventListener("hashchange", () => button(location.hash.slice(1))?.click());
  setTimeout(remember, 60);
  setTimeout(() => root.dataset.ready || ready("late"), 8000);
}

const selected = () => document.querySelector('#tabs [role="tab"][aria-selected="true"]');

/** On a phone the tabs are wider than the window, and scroll. */
function inSight() { selected()?.scrollIntoView({ block: "nearest", inline: "center" }); }

function remember() {
  const open = selected();
  inSight();
  if (!open || location.hash === `#${open.dataset.tabId}`) return;
  if (root.dataset.ready) scrollTo(0, 0);
  store(KEY, open.dataset.tabId);
  history.replaceState(null, "", `#${open.dataset.tabId}`);
}

restore();
